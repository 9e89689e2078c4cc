"""What was measured, as a table to read, as JSON to compare, and as Markdown to keep."""

from __future__ import annotations

import json
import os
import platform
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
HEADINGS = ("what", "target", "measured", "ratio", "")


class BenchError(Exception):
    """A measurement that would mean nothing, with the reason."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    what: str
    target: str = ""
    """In words; empty where none is set."""
    measured: str = ""
    ratio: float | None = None
    """Against what was measured beside it in the same run."""
    ok: bool | None = None
    """None where there is no target, or where nothing could be measured."""
    values: Mapping[str, float] = field(default_factory=dict)
    """The bare numbers, for the JSON; each name ends in its unit."""

    @property
    def cells(self) -> tuple[str, ...]:
        verdict = {True: "ok", False: "missed", None: ""}[self.ok]
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return self.what, self.target, self.measured, ratio, verdict


def at_most(what: str, limit: float, value: float, unit: str, detail: str = "", **values: float) -> Figure:
    """A figure that must stay under `limit`, both in `unit`."""
    return Figure(
        what, f"under {limit:g} {unit}", f"{value:.3g} {unit}{detail}", ok=value < limit, values={unit: value, **values}
    )


def machine() -> dict[str, str | int]:
    """Where the figures come from: they mean little on another machine."""
    model = platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        names = [line.partition(":")[2].strip() for line in cpus.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return {
        "cores": os.cpu_count() or 1,
        "processor": model,
        "python": platform.python_version(),
        "system": platform.system(),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def width(text: str) -> int:
    """Columns on a terminal: Han characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns under each other; the first row is the heading."""
    columns = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell + " " * (columns[index] - width(cell)) for index, cell in enumerate(row)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def show(title: str, figures: Sequence[Figure]) -> None:
    print(f"\n{title}\n{table([HEADINGS, *(figure.cells for figure in figures)])}", flush=True)


def keep(about: Mapping[str, str | int], parts: Mapping[str, Sequence[Figure]]) -> None:
    """Writes `results/latest.json` and `results/latest.md`."""
    RESULTS.mkdir(exist_ok=True)
    content = {
        "about": dict(about),
        "figures": [
            {
                "part": title,
                "what": each.what,
                "target": each.target,
                "measured": each.measured,
                "ratio": None if each.ratio is None else round(each.ratio, 3),
                "ok": each.ok,
                "values": {name: round(value, 3) for name, value in each.values.items()},
            }
            for title, figures in parts.items()
            for each in figures
        ],
    }
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (RESULTS / "latest.json").write_text(text + "\n", encoding="utf-8")
    lines = ["# Last run of `make bench`", "", ", ".join(f"{name} {value}" for name, value in about.items())]
    for title, figures in parts.items():
        lines += ["", f"## {title}", "", f"| {' | '.join(HEADINGS)} |", "|" + " --- |" * len(HEADINGS)]
        lines += [f"| {' | '.join(figure.cells)} |" for figure in figures]
    (RESULTS / "latest.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
