"""The running service beside an empty FastAPI endpoint: same server settings, same run, turn by turn."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import msgspec

from bench.load import CONNECTIONS, Load, run_load
from bench.messages import PLATFORM, clean_texts, different_texts, incident_texts, typical_replies
from bench.report import BenchError, Figure, at_most
from bench.servers import KEY, Server, migrate, run_empty, run_service
from service.engine import Engine
from service.lexicon.snapshot import Snapshot
from tests.postgresql import run_server

BODIES = 20_000
"""More than the service remembers of harmless texts, so that each is met as for the first time."""
ONE_IN = 50
ROUNDS = 4
ROUND_SECONDS = 3
HALF_SECONDS = 5
READY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Contender:
    """One server with what it is sent."""

    name: str
    server: Server
    bodies: Path
    target: float | None = None
    """Least throughput as a multiple of the empty endpoint's."""
    most_p99_ms: float | None = None
    """At half of its own throughput."""


def measure_http(engine: Engine, snapshot: Snapshot) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="shenyan-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        bodies = write_bodies(folder, engine, snapshot)
        with run_service(folder / "sqlite") as first:
            pass
        sqlite = stack.enter_context(run_service(folder / "sqlite"))
        yield at_most("cold start to ready, empty data folder", READY_SECONDS, first.ready_seconds, "s")
        yield at_most("cold start to ready, second start", READY_SECONDS, sqlite.ready_seconds, "s")
        empty = Contender("empty FastAPI endpoint", stack.enter_context(run_empty(folder / "empty")), bodies["replies"])
        contenders = [
            Contender("clean replies, all different", sqlite, bodies["replies"], 1.3, 5),
            Contender("clean replies, canned", sqlite, bodies["canned"], 1.3, 5),
            Contender("clean sentences full of traps, all different", sqlite, bodies["traps"]),
            Contender(f"1 in {ONE_IN} an incident, SQLite", sqlite, bodies["mixed"], 1.0, 20),
            Contender(
                f"1 in {ONE_IN} an incident among canned replies, SQLite", sqlite, bodies["mixed_canned"], 1.0, 20
            ),
            Contender("clean replies with message_id, SQLite", sqlite, bodies["numbered"]),
        ]
        try:
            postgresql = stack.enter_context(run_on_postgresql(folder / "postgresql"))
            contenders += [
                Contender(f"1 in {ONE_IN} an incident, PostgreSQL", postgresql, bodies["mixed"], 1.0, 20),
                Contender(
                    f"1 in {ONE_IN} an incident among canned replies, PostgreSQL",
                    postgresql,
                    bodies["mixed_canned"],
                    1.0,
                    20,
                ),
            ]
        except (RuntimeError, OSError) as error:
            yield Figure(f"1 in {ONE_IN} an incident, PostgreSQL", measured=f"not measured: {error}".splitlines()[0])
        yield from compare(empty, contenders)


def write_bodies(folder: Path, engine: Engine, snapshot: Snapshot) -> dict[str, Path]:
    """Files with a body a line, by what they hold. Canned replies come again and again, as they do from agents."""
    canned = clean_texts(typical_replies(), engine)
    replies = different_texts(canned, engine, BODIES)
    mixed, mixed_canned = list(replies), list(islice(cycle(canned), BODIES))
    mixed[::ONE_IN] = mixed_canned[::ONE_IN] = incident_texts(snapshot, engine, len(mixed[::ONE_IN]))
    texts = {
        "canned": canned,
        "replies": replies,
        "traps": different_texts(clean_texts(snapshot.corpus, engine), engine, BODIES),
        "mixed": mixed,
        "mixed_canned": mixed_canned,
    }
    files = {name: write(folder / name, list(map(body_of, rows))) for name, rows in texts.items()}
    return files | {"numbered": write(folder / "numbered", [body_of(text, message_id="<n>") for text in replies])}


def body_of(text: str, **more: str) -> bytes:
    body = {"text": text, "platform": PLATFORM, "shop_id": "shop-1", "agent_id": "agent-1"}
    return msgspec.json.encode({**body, **more})


def write(path: Path, bodies: Sequence[bytes]) -> Path:
    path.write_bytes(b"\n".join(bodies) + b"\n")
    return path


@contextmanager
def run_on_postgresql(folder: Path) -> Iterator[Server]:
    """The service on a throw-away server that keeps what it confirms, as one in earnest would."""
    folder.mkdir()
    with run_server("") as server:
        server.execute("CREATE DATABASE bench")
        migrate(folder, server.url("bench"))
        with run_service(folder, server.url("bench")) as service:
            yield service


def compare(empty: Contender, contenders: Sequence[Contender]) -> Iterator[Figure]:
    """Rounds in turn, after one of a second that does not count; then each at half of its rate."""
    everyone = [empty, *contenders]
    for each in everyone:
        load(each, 1)
    rounds = [[load(each, ROUND_SECONDS) for each in everyone] for _ in range(ROUNDS)]
    loads = dict(zip([each.name for each in everyone], zip(*rounds, strict=True), strict=True))
    base = rate_of(loads[empty.name])
    yield Figure(empty.name, "", f"{base:,.0f}/s", 1.0, values=values_of(loads[empty.name]))
    for each in contenders:
        rate = rate_of(loads[each.name])
        yield Figure(
            each.name,
            f"at least {each.target:g} times the empty one" if each.target else "",
            f"{rate:,.0f}/s",
            rate / base,
            rate / base >= each.target if each.target else None,
            values_of(loads[each.name]),
        )
    for each in contenders:
        if each.most_p99_ms is not None:
            yield at_half(each, rate_of(loads[each.name]))


def load(contender: Contender, seconds: float, pause_ms: float = 0) -> Load:
    try:
        return run_load(contender.server.port, contender.bodies, KEY, seconds, pause_ms)
    except BenchError as error:
        raise BenchError(f"{contender.name}: {error}") from error


def rate_of(loads: Sequence[Load]) -> float:
    return median(each.rate for each in loads)


def values_of(loads: Sequence[Load]) -> dict[str, float]:
    return {
        "rate_per_s": rate_of(loads),
        "least_rate_per_s": min(each.rate for each in loads),
        "most_rate_per_s": max(each.rate for each in loads),
        "p50_ms": median(each.p50_ms for each in loads),
        "p99_ms": median(each.p99_ms for each in loads),
    }


def at_half(contender: Contender, rate: float) -> Figure:
    """Latency as the client sees it. Each connection pauses so long that all together send at half of `rate`."""
    result = load(contender, HALF_SECONDS, 2 * CONNECTIONS / rate * 1000)
    most = contender.most_p99_ms or 0
    return Figure(
        f"{contender.name}, at half rate: p99",
        f"under {most:g} ms",
        f"{result.p99_ms:.3g} ms (p50 {result.p50_ms:.2g} ms, at {result.rate:,.0f}/s)",
        ok=result.p99_ms < most,
        values={"rate_per_s": result.rate, "p50_ms": result.p50_ms, "p99_ms": result.p99_ms},
    )
