"""The project's own labelled messages, with floors: what must be flagged, what must pass, and where exactly."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bench.accuracy import Score, score
from bench.rows import Row, read_rows
from service.engine import Engine
from service.lexicon.snapshot import Snapshot
from service.vocabulary import CATEGORIES

PATH = Path(__file__).parents[1] / "data" / "labelled.jsonl"

LEAST_FLAGGED, MOST_FALSE, LEAST_PLACED = 0.97, 0.01, 0.95


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return read_rows(PATH)


@pytest.fixture(scope="module")
def result(rows: list[Row], engine: Engine, snapshot: Snapshot) -> Score:
    return score(rows, PATH.parent, engine, snapshot.tables.digits, "generic")


def share_flagged(result: Score, label: str) -> float:
    counts = result.outcomes[label, "ALL"]
    return (counts["block"] + counts["warn"]) / counts.total()


def tell(result: Score, label: str) -> str:
    """The wrong rows of one label, for the failure's message."""
    return "\n".join(line for line in result.wrong if f"label={label} " in line)


def test_every_category_has_rows_that_must_be_found_and_rows_that_must_pass(rows: list[Row]) -> None:
    counts = Counter((row.category, row.label) for row in rows)
    thin = [(name, label) for name in CATEGORIES for label in (0, 1) if counts[name, label] < 8]
    assert not thin, f"fewer than 8 rows: {thin}"
    assert len(rows) >= 700
    assert 0.4 < sum(row.label == 0 for row in rows) / len(rows) < 0.6


def test_no_message_stands_there_twice(rows: list[Row]) -> None:
    twice = [text for text, count in Counter(row.text for row in rows).items() if count > 1]
    assert not twice


def test_violations_are_flagged(result: Score) -> None:
    assert share_flagged(result, "1") >= LEAST_FLAGGED, tell(result, "1")


def test_honest_messages_pass(result: Score) -> None:
    assert share_flagged(result, "0") <= MOST_FALSE, tell(result, "0")


def test_what_is_expected_is_found_in_its_place(result: Score) -> None:
    wanted = sum(match.wanted for match in result.matches)
    exact = sum(match.exact for match in result.matches)
    assert exact / wanted >= LEAST_PLACED, "\n".join(line for line in result.wrong if "expected" in line)
