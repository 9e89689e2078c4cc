"""What is flagged stays flagged when it is dressed up."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.disguises import load_sounds, measure
from bench.rows import read_rows
from service.engine import Engine
from service.lexicon.snapshot import Snapshot

PATH = Path(__file__).parents[1] / "data" / "labelled.jsonl"

FLOORS = {
    "homophone, one character": 0.85,
    "homophones throughout": 0.75,
    "pinyin, one character": 0.85,
    "pinyin throughout": 0.65,
    "emoji in between": 0.9,
    "separators in between": 0.88,
    "invisible in between": 0.99,
    "characters twice": 0.9,
    "circled digits": 0.99,
    "digits as words": 0.7,
    "traditional": 0.99,
    "full width": 0.99,
}


@pytest.fixture(scope="module")
def shares(engine: Engine, snapshot: Snapshot) -> dict[str, float]:
    lines, _ = measure(read_rows(PATH), engine, load_sounds(snapshot.tables))
    return {name: int(still) / int(tried) for name, tried, still, _ in lines[1:]}


@pytest.mark.parametrize("name", FLOORS)
def test_a_disguise_does_not_get_past(shares: dict[str, float], name: str) -> None:
    assert shares[name] >= FLOORS[name]


def test_every_disguise_has_a_floor(shares: dict[str, float]) -> None:
    assert shares.keys() == FLOORS.keys()
