"""`make bench`: measures what docs promise, prints it beside its targets, keeps it in `bench/results/`. Takes about 6 minutes."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from time import monotonic

from bench.engine import measure_engine
from bench.growth import measure_growth, plot
from bench.http import measure_http
from bench.load import client_name
from bench.report import RESULTS, BenchError, Figure, keep, machine, show
from bench.rows import find_files, read_rows
from service.engine import Engine
from service.errors import ShenyanError
from service.lexicon.load import load_snapshot
from service.settings import shipped_lexicons
from service.text.message import Message
from service.vocabulary import PLATFORMS, Platform


def messages_of(path: Path | None, platform: Platform) -> list[Message]:
    """The texts of a labelled file. Raises BenchError for a file that can't be read."""
    if path is None:
        return []
    rows = [row for file in find_files([path]) for row in read_rows(file)]
    texts = [(row.text, row.platform or platform, row.channel) for row in rows if row.text and not row.file]
    return [Message(text, platform, channel, date.today()) for text, platform, channel in texts]


def main() -> int:
    """0 whether or not targets are met; 2 with one sentence when something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--data", type=Path, help="JSONL file of messages to measure the engine with, too")
    parser.add_argument("--platform", choices=PLATFORMS, default="generic", help="for rows of --data that name none")
    parser.add_argument(
        "--only", choices=("engine", "http", "growth"), help="measure this part; results are then not kept"
    )
    options = parser.parse_args()
    started = monotonic()
    parts: dict[str, list[Figure]] = {}
    try:
        rows = messages_of(options.data, options.platform)
        snapshot = load_snapshot(shipped_lexicons())
        engine = Engine.compile(snapshot)
        about = {**machine(), "lexicon": engine.lexicon_version, "terms": len(snapshot.terms), "load by": client_name()}
        print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
        if options.only in (None, "engine"):
            parts["Engine"] = list(measure_engine(engine, snapshot, rows))
            show("Engine", parts["Engine"])
        if options.only in (None, "http"):
            parts["HTTP, one worker, 32 connections"] = list(measure_http(engine, snapshot))
            show(*list(parts.items())[-1])
        if options.only in (None, "growth"):
            parts["Growth"] = list(measure_growth(engine, snapshot))
            show("Growth", parts["Growth"])
            plot(parts["Growth"], RESULTS / "growth.svg")
    except (BenchError, ShenyanError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if options.only is None:
        keep(about, parts)
    print(f"\n{monotonic() - started:.0f} s{'' if options.only else '; kept in bench/results/'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
