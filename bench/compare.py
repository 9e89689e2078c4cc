"""Precision and recall by category, ours and our peers', on the same rows in the same run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

from bench.peers import Flags, Peer
from bench.report import RESULTS, table
from bench.rows import Row

ALL = "ALL"
OURS = "shenyan"


@dataclass(slots=True)
class Tally:
    """What one filter made of the rows of one category."""

    violations: int = 0
    found: int = 0
    honest: int = 0
    false: int = 0

    @property
    def recall(self) -> float | None:
        return self.found / self.violations if self.violations else None

    @property
    def precision(self) -> float | None:
        flagged = self.found + self.false
        return self.found / flagged if flagged else None

    @property
    def false_rate(self) -> float | None:
        return self.false / self.honest if self.honest else None


@dataclass(frozen=True, slots=True)
class Result:
    """One filter over all rows."""

    name: str
    about: str
    tallies: Mapping[str, Tally]
    """By category, and ALL."""
    microseconds: float
    """Mean time a row."""


def tally(rows: Sequence[Row], name: str, about: str, flags: Callable[[Row], bool]) -> Result:
    """Asks one filter about every row."""
    tallies: dict[str, Tally] = {}
    start = perf_counter()
    answers = [flags(row) for row in rows]
    seconds = perf_counter() - start
    for row, flagged in zip(rows, answers, strict=True):
        for category in (row.category, ALL):
            counts = tallies.setdefault(category, Tally())
            if row.label == 1:
                counts.violations += 1
                counts.found += flagged
            else:
                counts.honest += 1
                counts.false += flagged
    return Result(name, about, tallies, seconds / len(rows) * 1e6)


def compare(rows: Sequence[Row], ours: Callable[[Row], bool], about: str, peers: Sequence[Peer]) -> list[Result]:
    """Ours first. Rows with pictures, or without a label of 0 or 1, are left out: word lists know neither."""
    plain = [row for row in rows if row.text is not None and row.file is None and row.label in (0, 1)]
    if not plain:
        return []
    return [
        tally(plain, OURS, about, ours),
        *(tally(plain, peer.name, peer.about, by_text(peer.flags)) for peer in peers),
    ]


def by_text(flags: Flags) -> Callable[[Row], bool]:
    return lambda row: flags(row.text or "")


def share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def cells(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """A line per category: counts, then precision and recall of each filter."""
    heading = ("category", "violations", "honest", *(each.name for each in results))
    first = results[0].tallies
    lines: list[tuple[str, ...]] = [heading]
    for category in sorted(first, key=lambda name: (name == ALL, name)):
        counts = first[category]
        pairs = (f"{share(r.tallies[category].precision)} / {share(r.tallies[category].recall)}" for r in results)
        lines.append((category, str(counts.violations), str(counts.honest), *pairs))
    return lines


def summary(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """A line per filter, over all rows."""
    lines: list[tuple[str, ...]] = [("filter", "", "found", "honest messages flagged", "precision", "recall")]
    for each in results:
        counts = each.tallies[ALL]
        found, false = f"{counts.found} of {counts.violations}", f"{counts.false} of {counts.honest}"
        if counts.false_rate is not None:
            false += f" ({share(counts.false_rate)})"
        lines.append((each.name, each.about, found, false, share(counts.precision), share(counts.recall)))
    return lines


def print_results(results: Sequence[Result], missing: Sequence[str]) -> None:
    print("\nprecision / recall by category\n" + table(cells(results)))
    print("\nall rows\n" + table(summary(results)))
    if missing:
        print(f"not installed, so not compared: {', '.join(missing)}; to add them: make peers")


def keep_results(about: Mapping[str, str], results: Sequence[Result], missing: Sequence[str]) -> None:
    """Writes `results/accuracy.json` and `results/accuracy.md`."""
    RESULTS.mkdir(exist_ok=True)
    content = {
        "about": dict(about),
        "not_installed": list(missing),
        "filters": [
            {
                "name": each.name,
                "about": each.about,
                "categories": {
                    category: {
                        "violations": counts.violations,
                        "found": counts.found,
                        "honest": counts.honest,
                        "false": counts.false,
                    }
                    for category, counts in sorted(each.tallies.items())
                },
            }
            for each in results
        ],
    }
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (RESULTS / "accuracy.json").write_text(text + "\n", encoding="utf-8")
    lines = ["# Last run of `make accuracy`", "", ", ".join(f"{name} {value}" for name, value in about.items())]
    for title, rows in (("All rows", summary(results)), ("Precision / recall by category", cells(results))):
        lines += ["", f"## {title}", "", f"| {' | '.join(rows[0])} |", "|" + " --- |" * len(rows[0])]
        lines += [f"| {' | '.join(row)} |" for row in rows[1:]]
    if missing:
        lines += ["", f"Not installed, so not compared: {', '.join(missing)}."]
    (RESULTS / "accuracy.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
