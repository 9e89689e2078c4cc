"""`make faults`: every fault in full, and a table of what was answered, promised, found, lost and double.

Servers, folders and ports are its own; it takes about a quarter of an hour at the default of 20 seconds for each fault.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from time import monotonic

from tests.faults.scenarios import SCENARIOS, Place, Report
from tests.postgresql import SURVIVES, run_server
from tests.redis_server import run_redis

HEADS = ("fault", "s", "messages", "answers", "p99 ms", "promised", "found", "lost", "double", "note")


def row_of(report: Report) -> tuple[str, ...]:
    answers = ", ".join(f"{number} {what}" for what, number in sorted(report.load.answers.items()))
    counted = report.counted
    numbers = (counted.promised, counted.found, counted.lost, counted.double)
    messages = str(report.load.sent)
    return (
        report.fault, f"{report.seconds:g}", messages, answers, f"{report.load.p99:.0f}", *map(str, numbers), report.note,
    )  # fmt: skip


def main() -> int:
    """0 when nothing was lost and nothing came double."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each fault lasts")
    parser.add_argument("--only", help="those whose name contains this")
    options = parser.parse_args()
    failed = False
    sys.stdout.write("| " + " | ".join(HEADS) + " |\n|" + " --- |" * len(HEADS) + "\n")
    with (
        tempfile.TemporaryDirectory(prefix="shenyan-faults-") as name,
        run_redis() as redis,
        run_server(SURVIVES) as postgresql,
    ):
        place = Place(Path(name), postgresql, redis)
        for scenario in SCENARIOS:
            if options.only and options.only not in scenario.__name__:
                continue
            began = monotonic()
            try:
                report = asyncio.run(scenario(place, options.seconds))
            except (AssertionError, PermissionError, RuntimeError) as error:
                failed = True
                sys.stdout.write(f"| {scenario.__name__} | {monotonic() - began:.0f} | failed: {error} |\n")
            else:
                failed = failed or bool(report.counted.lost or report.counted.double)
                sys.stdout.write("| " + " | ".join(row_of(report)) + " |\n")
            sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
