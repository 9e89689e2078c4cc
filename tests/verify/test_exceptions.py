from __future__ import annotations

from dataclasses import replace

import pytest

from service.engine import Engine
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import ExceptionPhrase
from service.text.message import Message
from tests.reading import dismissed_by, found, slices
from tests.terms import term


@pytest.fixture(scope="module")
def small(snapshot: Snapshot) -> Engine:
    """Two terms, of which one excuses itself, and two phrases for everybody."""
    return Engine.compile(
        replace(
            snapshot,
            terms=(
                term("高仿", match="substring", except_=("高仿真",)),
                term("仿真花", match="substring", severity="medium"),
                term("零钱", id="contact/零钱", category="contact", match="substring"),
            ),
            exceptions=(
                ExceptionPhrase(phrase="微信零钱", categories=("contact",)),
                ExceptionPhrase(phrase="不是高仿"),
            ),
            contexts=(),
        )
    )


@pytest.mark.parametrize(("text", "expected"), [
    ("高仿", ["高仿"]),
    ("高仿真", []),
    ("高仿真和高仿", ["高仿"]),             # the other one stands alone
    ("高 仿真", ["高 仿"]),                 # excused only as written
    ("ＡＢ高仿真", []),
    ("不是高仿", []),
    ("不是高仿真的", []),
    ("退到微信零钱", []),
    ("退到零钱", ["零钱"]),
])  # fmt: skip
def test_a_hit_inside_an_exception_is_excused(small: Engine, text: str, expected: list[str]) -> None:
    assert slices(text, found(small.decide(Message(text, "generic")))) == expected


def test_an_exception_of_a_term_excuses_no_other(small: Engine) -> None:
    decision = small.decide(Message("高仿真花", "generic"))
    assert [candidate.value for candidate in found(decision)] == ["仿真花"]
    assert [candidate.value for candidate in dismissed_by(decision, "exception")] == ["高仿"]


def test_the_dismissal_names_the_phrase(small: Engine) -> None:
    decision = small.decide(Message("退到微信零钱", "generic"))
    assert [candidate.value for candidate in dismissed_by(decision, "exception")] == ["零钱"]
    assert "微信零钱" in decision.dismissed[0].because


def test_an_exception_of_other_categories_does_not_excuse(snapshot: Snapshot) -> None:
    engine = Engine.compile(
        replace(
            snapshot,
            terms=(term("零钱", match="substring"),),
            exceptions=(ExceptionPhrase(phrase="微信零钱", categories=("contact",)),),
            contexts=(),
        )
    )
    assert slices("微信零钱", found(engine.decide(Message("微信零钱", "generic")))) == ["零钱"]
