"""The shipped ladders, proved by their own examples."""

from __future__ import annotations

import pytest

from service.penalise.ladder import Example, Ladder
from service.penalise.load import load_ladders
from service.penalise.replay import failures
from service.settings import shipped_lexicons

LADDERS = load_ladders(shipped_lexicons())
EXAMPLES = [(ladder, example) for ladder in LADDERS.schemes.values() for example in ladder.examples]


@pytest.mark.parametrize(
    ("ladder", "example"), EXAMPLES, ids=[f"{ladder.scheme}: {example.name}" for ladder, example in EXAMPLES]
)
def test_comes_out_as_the_file_says(ladder: Ladder, example: Example) -> None:
    assert failures(ladder, example) == []


def test_all_schemes_are_there() -> None:
    assert set(LADDERS.schemes) == {"ten_point", "kpi", "fines", "pinduoduo", "kuaishou", "taobao", "jd"}


@pytest.mark.parametrize("ladder", LADDERS.schemes.values(), ids=lambda ladder: ladder.scheme)
def test_has_examples_and_sources(ladder: Ladder) -> None:
    assert ladder.examples
    assert all(edition.source for edition in ladder.editions)
