"""Scores labelled messages in process, beside our peers: `python -m bench.accuracy FILE...`, JSONL files or folders of them.

Without a file: the project's own set, and the results are kept in `bench/results/accuracy.{json,md}`.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from bench.compare import compare, keep_results, print_results
from bench.expected import Match, match_expected
from bench.peers import load_peers
from bench.report import BenchError, table
from bench.rows import Row, find_files, read_rows
from service.decide.decision import Decision
from service.engine import Engine
from service.errors import Malformed, ShenyanError
from service.lexicon.load import load_snapshot
from service.normalise.picture import inspect_image
from service.settings import shipped_lexicons
from service.text.message import Message
from service.vocabulary import PLATFORMS, Platform

OWN = Path("tests/data/labelled.jsonl")
ALL = "ALL"


@dataclass(slots=True)
class Score:
    """What became of the rows of one file."""

    outcomes: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    """Counts of block, warn, allow and other, per label and category."""
    wrong: list[str] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    """One for each row that says what is expected."""


def message_of(row: Row, folder: Path, platform: Platform) -> Message:
    """Raises Malformed for a picture that can't be read."""
    pictures = (inspect_image((folder / row.file).read_bytes()),) if row.file else ()
    text = "" if row.file else row.text or ""
    return Message(text, row.platform or platform, row.channel, date.today(), images=pictures)


def score(rows: Sequence[Row], folder: Path, engine: Engine, digits: Mapping[int, str], platform: Platform) -> Score:
    """Decides every row."""
    result = Score()
    for row in rows:
        try:
            message = message_of(row, folder, platform)
            decision = engine.decide(message)
            outcome, found = str(decision.action), describe(decision)
        except Malformed as error:
            message, decision, outcome, found = None, None, "other", error.detail
        for category in (row.category, ALL):
            result.outcomes.setdefault((str(row.label), category), Counter())[outcome] += 1
        bad = (row.label == 1 and outcome == "allow") or (row.label == 0 and outcome != "allow") or outcome == "other"
        if message and decision and row.expected is not None:
            match = match_expected(message.text, row.expected, decision, digits)
            result.matches.append(match)
            bad = bad or match.exact < match.wanted
            found += match.describe()
        if bad:
            result.wrong.append(
                f"   {outcome:<6} label={row.label} {row.category}: {row.file or row.text!r}   [{found}]"
            )
    return result


def describe(decision: Decision) -> str:
    candidates = [verdict.finding.candidate for verdict in decision.verdicts]
    return "; ".join(f"{each.category}:{each.value}" for each in candidates)


def print_score(path: Path, rows: int, result: Score, show: int) -> None:
    """The table of one file, then what was expected, then the first wrong rows."""
    print(f"\n== {path.name}: {rows} rows")
    lines = [("label", "category", "n", "block", "warn", "allow", "other", "flagged")]
    for (label, category), counts in sorted(
        result.outcomes.items(), key=lambda each: (each[0][0], each[0][1] != ALL, each[0][1])
    ):
        n, flagged = counts.total(), counts["block"] + counts["warn"]
        cells = (str(counts[outcome]) for outcome in ("block", "warn", "allow", "other"))
        lines.append((label, category, str(n), *cells, f"{flagged / n:7.2%}"))  # type: ignore[arg-type]
    print(table(lines))
    if result.matches:
        wanted = sum(match.wanted for match in result.matches)
        exact, near = sum(m.exact for m in result.matches), sum(m.near for m in result.matches)
        unexpected = sum(match.unexpected for match in result.matches)
        share = f" ({exact / wanted:.2%})" if wanted else ""
        print(
            f"expected: {exact} of {wanted} with the right span{share}, {near} with another span, "
            f"{wanted - exact - near} not found; {unexpected} findings that were not expected"
        )
    print("\n".join(result.wrong[:show]), end="\n" if result.wrong[:show] else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all files could be scored; 2 with one sentence when something is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="JSONL files, or folders of them")
    parser.add_argument("--platform", choices=PLATFORMS, default="generic", help="for rows that name none")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print so many wrong rows of each file")
    parser.add_argument("--no-peers", action="store_true", help="leave out the comparison")
    options = parser.parse_args(arguments)
    try:
        if not options.files and not OWN.exists():
            raise BenchError(
                f"nothing to score: name JSONL files (make accuracy DATA=path), or write {OWN}; "
                "each line is an object with text, label (1 must be flagged, 0 must pass) and category"
            )
        files = [(path, read_rows(path)) for path in find_files(options.files or [OWN])]
        snapshot = load_snapshot(shipped_lexicons())
        engine = Engine.compile(snapshot)
    except (BenchError, ShenyanError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print(f"lexicon {engine.lexicon_version}, {len(snapshot.terms)} terms")
    everything: list[Row] = []
    for path, rows in files:
        result = score(rows, path.parent, engine, snapshot.tables.digits, options.platform)
        print_score(path, len(rows), result, options.show)
        everything += rows
    if options.no_peers:
        return 0
    peers, missing = load_peers(snapshot)

    def flagged(row: Row) -> bool:
        return engine.decide(message_of(row, Path(), options.platform)).action != "allow"

    results = compare(everything, flagged, engine.lexicon_version, peers)
    if results:
        print_results(results, missing)
        if not options.files:
            about = {"set": str(OWN), "rows": str(len(everything)), "terms": str(len(snapshot.terms))}
            keep_results({**about, "lexicon": engine.lexicon_version}, results, missing)
    return 0


if __name__ == "__main__":
    sys.exit(main())
