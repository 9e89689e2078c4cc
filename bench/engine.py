"""The engine alone, in this process: ordinary messages, grown lexicons, hostile texts, a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter

from bench.grown import measure_apart
from bench.messages import hostile_texts, message, screenshot
from bench.report import Figure, at_most
from bench.timing import first_sight, time_calls
from service.engine import Engine
from service.lexicon.snapshot import Snapshot
from service.normalise.picture import inspect_image
from service.text.message import Message

MOST_MEDIAN_US, MOST_P99_US = 30, 150
MOST_TIMES, MOST_MEMORY_MB = 2, 60


def measure_engine(engine: Engine, snapshot: Snapshot, rows: Sequence[Message]) -> Iterator[Figure]:
    """`rows` are messages of the caller's own, measured beside the ordinary sentences."""
    yield from ordinary(engine, [message(text) for text in snapshot.corpus], "ordinary sentences")
    if rows:
        yield from ordinary(engine, rows, "rows of --data")
    yield from grown()
    yield hostile(engine, snapshot)
    yield picture()


def ordinary(engine: Engine, messages: Sequence[Message], name: str) -> Iterator[Figure]:
    (times,) = time_calls(messages, first_sight(engine), rounds=4)
    length = sum(len(each.text) for each in messages) / len(messages)
    detail = f" ({len(messages)}, {length:.0f} characters each)"
    yield at_most(f"engine, {name}: median", MOST_MEDIAN_US, times.median, "us", detail)
    yield at_most(f"engine, {name}: p99", MOST_P99_US, times.p99, "us", max_us=times.percentile(100))


def grown() -> Iterator[Figure]:
    for count in (10_000, 100_000):
        figures = measure_apart(count)
        times = figures["grown_us"] / figures["shipped_us"]
        memory = figures["more_memory_mb"]
        yield Figure(
            f"engine, {count:,} more terms",
            f"under {MOST_TIMES}x the time, {MOST_MEMORY_MB} MB more",
            f"{figures['grown_us']:.3g} us, {memory:.0f} MB more, compiled beside in {figures['compile_s']:.1f} s",
            times,
            times < MOST_TIMES and memory < MOST_MEMORY_MB,
            figures,
        )


def hostile(engine: Engine, snapshot: Snapshot) -> Figure:
    milliseconds = {}
    for name, text in hostile_texts(snapshot).items():
        times: list[float] = []
        # One that is slow anyway is not worth a second look.
        while len(times) < 3 and sum(times) < 1:
            started = perf_counter()
            engine.decide(message(text))
            times.append(perf_counter() - started)
        milliseconds[name] = min(times) * 1000
    worst = max(milliseconds, key=milliseconds.__getitem__)
    detail = f" ({worst}; of {len(milliseconds)} kinds)"
    return at_most("engine, 10,000 hostile characters: worst", 20, milliseconds[worst], "ms", detail, **milliseconds)


def picture() -> Figure:
    (times,) = time_calls([screenshot()], inspect_image, rounds=15)
    return at_most("picture of 1080p with a QR code", 30, times.median / 1000, "ms")
