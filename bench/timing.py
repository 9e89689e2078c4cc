"""Time of calls in one process. Each call's best of a few rounds counts: the rest is what else the machine did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns
from typing import TypeVar

from service.engine import Engine
from service.text.message import Message

T = TypeVar("T")
MICRO = 1_000


@dataclass(frozen=True, slots=True)
class Times:
    """Sorted times of single calls, in microseconds."""

    microseconds: tuple[float, ...]

    def percentile(self, percent: float) -> float:
        return self.microseconds[min(int(len(self.microseconds) * percent / 100), len(self.microseconds) - 1)]

    @property
    def median(self) -> float:
        return self.percentile(50)

    @property
    def p99(self) -> float:
        return self.percentile(99)


def time_calls(items: Sequence[T], *calls: Callable[[T], object], rounds: int = 3) -> list[Times]:
    """Times of each of `calls` on every item; the calls take turns, so that they are measured side by side."""
    best = [[float("inf")] * len(items) for _ in calls]
    for _ in range(rounds):
        for place, item in enumerate(items):
            for call, times in zip(calls, best, strict=True):
                started = perf_counter_ns()
                call(item)
                times[place] = min(times[place], perf_counter_ns() - started)
    return [Times(tuple(sorted(time / MICRO for time in times))) for times in best]


def first_sight(engine: Engine) -> Callable[[Message], object]:
    """`engine.decide` that has never met the text: what an engine remembers of harmless ones is measured over HTTP."""

    def decide(message: Message) -> object:
        engine.proposer.harmless.forget()
        return engine.decide(message)

    return decide


def memory_mb() -> float:
    """Resident memory of this process in MiB; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    lines = [line for line in status.read_text().splitlines() if line.startswith("VmRSS")]
    return int(lines[0].split()[1]) / 1024
