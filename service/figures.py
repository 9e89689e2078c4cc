"""What this process counts about itself: counters, spreads of seconds, and gauges, by name, for whoever watches it.

Plain Python without locks: counting costs a tenth of a microsecond on the event loop's thread, and nothing else may count.
Several workers put what they have into one folder, each into a file of its own; whoever is asked adds the files up.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal
from uuid import uuid4

import msgspec

BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Upper bounds of a spread's bins, in seconds; one more bin is for what is above."""
MOST_ROWS = 500
"""Label sets of one counter; what comes on top is counted as `other`, so that no caller can use up the memory."""
STALE_SECONDS = 10.0
"""A worker that has not written for so long has gone: its counters still count, its gauges do not."""

Kind = Literal["counter", "spread", "gauge"]
Merge = Literal["sum", "min", "max"]
Labels = tuple[str, ...]
Read = Callable[[], float | Mapping[Labels, float]]


class Series(msgspec.Struct, frozen=True, array_like=True):
    """One figure at one moment."""

    kind: Kind
    name: str
    help: str
    labels: Labels
    merge: Merge
    rows: list[tuple[Labels, list[float]]]
    """One number each; a spread has one for each bin, then the sum of the seconds."""


class Count:
    """How often something happened, by labels."""

    __slots__ = ("help", "labels", "name", "values")

    def __init__(self, name: str, text: str, labels: Labels) -> None:
        self.name, self.help, self.labels = name, text, labels
        self.values: dict[Labels, float] = {} if labels else {(): 0}

    def add(self, *labels: str, number: float = 1) -> None:
        if labels not in self.values and len(self.values) >= MOST_ROWS:
            labels = ("other",) * len(labels)
        self.values[labels] = self.values.get(labels, 0) + number


class Spread:
    """How long something took; a histogram."""

    __slots__ = ("bins", "seconds")

    def __init__(self) -> None:
        self.bins = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self.bins[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class Figures:
    """All figures of one process. Names end in `_total` for counters, `_seconds` or `_bytes` where they have a unit."""

    def __init__(self) -> None:
        self._counts: dict[str, Count] = {}
        self._spreads: dict[str, tuple[str, str, dict[str, Spread]]] = {}
        self._gauges: dict[str, tuple[str, Labels, Merge, Read]] = {}

    def count(self, name: str, text: str, *labels: str) -> Count:
        """A new counter; `name` is without `_total`, which Prometheus adds."""
        made = self._counts[name] = Count(name, text, labels)
        return made

    def spread(self, name: str, text: str, label: str, values: Iterable[str]) -> dict[str, Spread]:
        """A new histogram with one label: value -> where to add."""
        made = {value: Spread() for value in values}
        self._spreads[name] = (text, label, made)
        return made

    def gauge(self, name: str, text: str, read: Read, *labels: str, merge: Merge = "sum") -> None:
        """A figure that is read when somebody asks; `merge` says what several workers make of it together."""
        self._gauges[name] = (text, labels, merge, read)

    def read(self) -> list[Series]:
        """Everything as it is now."""
        found = [
            Series("counter", each.name, each.help, each.labels, "sum", [(k, [v]) for k, v in each.values.items()])
            for each in self._counts.values()
        ]
        for name, (text, label, spreads) in self._spreads.items():
            rows: list[tuple[Labels, list[float]]] = [
                ((value,), [*spread.bins, spread.seconds]) for value, spread in spreads.items()
            ]
            found.append(Series("spread", name, text, (label,), "sum", rows))
        for name, (text, labels, merge, read) in self._gauges.items():
            value = read()
            values = value if isinstance(value, Mapping) else {(): value}
            found.append(Series("gauge", name, text, labels, merge, [(k, [v]) for k, v in values.items()]))
        return found


class Shared:
    """The folder in which the workers of one machine put their figures."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A process id may come again after a restart.
        self._file = folder / f"{os.getpid()}-{uuid4().hex}.json"

    def put(self, own: list[Series]) -> None:
        """Writes this worker's figures; whoever reads sees the old file or the new one. Nothing happens on a full disk."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(own))
            fresh.replace(self._file)

    def merged(self, own: list[Series]) -> list[Series]:
        """This worker's figures and those of the others, added up."""
        parts = [own]
        for file in sorted(self._folder.glob("*.json")):
            if file == self._file:
                continue
            with suppress(OSError, msgspec.DecodeError):
                fresh = time.time() - file.stat().st_mtime < STALE_SECONDS
                series = msgspec.json.decode(file.read_bytes(), type=list[Series])
                parts.append([each for each in series if fresh or each.kind != "gauge"])
        return merge(parts)


def merge(parts: Iterable[list[Series]]) -> list[Series]:
    """One series for each name, from those of several workers."""
    ways: dict[Merge, Callable[[float, float], float]] = {"sum": lambda one, two: one + two, "min": min, "max": max}
    merged: dict[str, tuple[Series, dict[Labels, list[float]]]] = {}
    for series in (each for part in parts for each in part):
        _, rows = merged.setdefault(series.name, (series, {}))
        for labels, numbers in series.rows:
            known = rows.get(labels)
            rows[labels] = numbers if known is None else list(map(ways[series.merge], known, numbers))
    return [msgspec.structs.replace(series, rows=list(rows.items())) for series, rows in merged.values()]
