"""How the figures grow: with the terms, the length of a message, the connections and the workers; and beside other filters.

A plot of it is kept in `bench/results/growth.svg`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.grown import measure_apart
from bench.http import body_of, write
from bench.load import run_load
from bench.messages import clean_texts, different_texts, message, typical_replies
from bench.peers import load_peers
from bench.report import BenchError, Figure
from bench.servers import KEY, run_empty, run_service
from bench.timing import first_sight, time_calls
from service.engine import Engine
from service.lexicon.snapshot import Snapshot

LENGTHS = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
MORE_TERMS = (0, 1_000, 10_000, 100_000, 1_000_000)
CONNECTIONS = (1, 2, 4, 8, 16, 32, 64)
WORKERS = (1, 2)
SECONDS = 2
HTTP_PEERS = ("substring", "substring+regex", "pyahocorasick", "flashtext", "wfgfw")


def measure_growth(engine: Engine, snapshot: Snapshot) -> Iterator[Figure]:
    yield from by_length(engine)
    yield from by_terms()
    yield from by_peer(engine, snapshot)
    yield from over_http(engine, snapshot)


def by_length(engine: Engine) -> Iterator[Figure]:
    """Honest text of each length, as it is met for the first time."""
    text = "，".join(typical_replies())
    text *= LENGTHS[-1] // len(text) + 2
    for length in LENGTHS:
        step = max(1, (len(text) - length) // 40)
        (times,) = time_calls(
            [message(text[start : start + length]) for start in range(0, len(text) - length, step)],
            first_sight(engine),
        )
        yield Figure(
            f"engine, {length:,} characters: median",
            measured=f"{times.median:.3g} us",
            values={"characters": length, "us": times.median},
        )


def by_terms() -> Iterator[Figure]:
    """Made-up terms of a tenant over the shipped ones."""
    for count in MORE_TERMS:
        figures = measure_apart(count)
        yield Figure(
            f"engine, {count:,} more terms: median",
            measured=f"{figures['grown_us']:.3g} us, {figures['more_memory_mb']:.0f} MB more",
            ratio=figures["grown_us"] / figures["shipped_us"],
            values={"more_terms": count, **figures},
        )


def by_peer(engine: Engine, snapshot: Snapshot) -> Iterator[Figure]:
    """In this process, on typical replies of 40 characters, each filter with our terms as its list."""
    texts = clean_texts(typical_replies(), engine)
    peers, missing = load_peers(snapshot)
    decide = first_sight(engine)
    calls = [lambda text: decide(message(text)), *(peer.flags for peer in peers)]
    names = ["shenyan", *(peer.name for peer in peers)]
    ours, *others = time_calls(texts, *calls)
    for name, times in zip(names, (ours, *others), strict=True):
        yield Figure(
            f"in process: {name}",
            measured=f"{times.median:.3g} us",
            ratio=ours.median / times.median,
            values={"us": times.median},
        )
    for name in missing:
        yield Figure(f"in process: {name}", measured="not installed; make peers")


def over_http(engine: Engine, snapshot: Snapshot) -> Iterator[Figure]:
    """Typical replies, no two alike: ours by connections and workers, then a plain endpoint around each other filter."""
    texts = different_texts(clean_texts(typical_replies(), engine), engine, 20_000)
    with tempfile.TemporaryDirectory(prefix="shenyan-bench-") as name:
        folder = Path(name)
        bodies = write(folder / "bodies", list(map(body_of, texts)))
        for workers in WORKERS:
            with run_service(folder / f"workers-{workers}", workers=workers) as server:
                run_load(server.port, bodies, KEY, 1)
                for connections in CONNECTIONS:
                    load = run_load(server.port, bodies, KEY, SECONDS, connections=connections)
                    yield Figure(
                        f"HTTP, {workers} worker{'s' * (workers > 1)}, {connections} connections",
                        measured=f"{load.rate:,.0f}/s, p99 {load.p99_ms:.3g} ms",
                        values={
                            "workers": workers, "connections": connections,
                            "rate_per_s": load.rate, "p50_ms": load.p50_ms, "p99_ms": load.p99_ms,
                        },
                    )  # fmt: skip
        yield from beside_peers(folder, bodies, snapshot)


def beside_peers(folder: Path, bodies: Path, snapshot: Snapshot) -> Iterator[Figure]:
    peers, _ = load_peers(snapshot)
    names = [peer.name for peer in peers if peer.name in HTTP_PEERS]
    with ExitStack() as stack:
        ours = stack.enter_context(run_service(folder / "ours"))
        servers = {"shenyan": ours} | {
            name: stack.enter_context(run_empty(folder / name.replace("+", "-"), name)) for name in names
        }
        for server in servers.values():
            run_load(server.port, bodies, KEY, 1)
        rates: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(2):
            for name, server in servers.items():
                rates[name].append(run_load(server.port, bodies, KEY, SECONDS).rate)
    for name, measured in rates.items():
        rate = max(measured)
        yield Figure(
            f"HTTP, one worker, 32 connections: {name}",
            measured=f"{rate:,.0f}/s",
            ratio=max(rates["shenyan"]) / rate,
            values={"rate_per_s": rate},
        )


def plot(figures: Sequence[Figure], file: Path) -> None:
    """Four panels as SVG. Raises BenchError where nothing was measured."""
    if not figures:
        raise BenchError("nothing was measured, so there is nothing to draw")
    # Drawing is needed here alone, and takes a second to import.
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "shenyan", "font.size": 9})
    from matplotlib import pyplot

    sheet, ((lengths, terms), (connections, peers)) = pyplot.subplots(2, 2, figsize=(10, 7), layout="constrained")
    rows = [each.values for each in figures if "characters" in each.values]
    lengths.loglog([row["characters"] for row in rows], [row["us"] for row in rows], "o-")
    lengths.set(title="engine, by length of the message", xlabel="characters", ylabel="microseconds, median")
    rows = [each.values for each in figures if "more_terms" in each.values]
    terms.semilogx([row["more_terms"] or 100 for row in rows], [row["grown_us"] for row in rows], "o-")
    terms.set(title="engine, by terms beside the shipped ones", xlabel="more terms", ylabel="microseconds, median")
    terms.set_ylim(bottom=0)
    for workers in WORKERS:
        rows = [each.values for each in figures if each.values.get("workers") == workers]
        connections.semilogx(
            [row["connections"] for row in rows],
            [row["rate_per_s"] for row in rows],
            "o-",
            label=f"{workers} worker(s)",
        )
    connections.set(
        title="HTTP, by connections (the load runs on the same 2 cores)", xlabel="connections", ylabel="answers/s"
    )
    connections.set_ylim(bottom=0)
    connections.legend()
    named = [
        (each.what.rpartition(": ")[2], each.values["rate_per_s"])
        for each in figures
        if "32 connections: " in each.what
    ]
    peers.barh([name for name, _ in named][::-1], [rate for _, rate in named][::-1])
    peers.set(title="HTTP, one worker: beside other filters", xlabel="answers/s")
    for panel in (lengths, terms, connections):
        panel.grid(alpha=0.3)
    sheet.savefig(file, metadata={"Date": None})
    pyplot.close(sheet)
