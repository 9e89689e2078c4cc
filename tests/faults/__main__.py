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

from tests.faults.scenarios import SCENARIOS, Place, Report, Scenario
from tests.postgresql import SURVIVES, run_server
from tests.redis_server import run_redis

HEADS = ("fault", "s", "messages", "answers", "p99 ms", "promised", "found", "lost", "double", "note")


LONGEST = 180.0
"""Seconds that one fault may take, besides ten times as long as it is told to last."""


def row_of(report: Report) -> tuple[str, ...]:
    answers = ", ".join(f"{number} {what}" for what, number in sorted(report.load.answers.items()))
    counted = report.counted
    numbers = (counted.promised, counted.found, counted.lost, counted.double)
    messages = str(report.load.sent)
    return (
        report.fault, f"{report.seconds:g}", messages, answers, f"{report.load.p99:.0f}", *map(str, numbers), report.note,
    )  # fmt: skip


async def play(scenario: Scenario, place: Place, seconds: float) -> Report:
    """Raises TimeoutError for a fault that does not come to its end."""
    async with asyncio.timeout(LONGEST + 10 * seconds):
        return await scenario(place, seconds)


def main() -> int:
    """0 when every fault came to its end, nothing was lost and nothing came double."""
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
                report = asyncio.run(play(scenario, place, options.seconds))
            except Exception as error:
                failed = True
                what = f"failed: {type(error).__name__} {error}"
                sys.stdout.write(f"| {scenario.__name__} | {monotonic() - began:.0f} | {what} |\n")
            else:
                failed = failed or bool(report.counted.lost or report.counted.double)
                sys.stdout.write("| " + " | ".join(row_of(report)) + " |\n")
            sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
