"""What is remembered of harmless texts must never change an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from service.engine import Engine
from service.lexicon.load import load_snapshot
from service.lexicon.overlay import Content, Layer, lay_over
from service.lexicon.term import Term
from service.match.harmless import KEPT, LONGEST, Harmless, Key
from service.settings import shipped_lexicons
from service.text.message import Message, Pace

DAY = date(2026, 3, 2)


def key(number: int) -> Key:
    return (str(number), "jd", DAY)


def test_remembers_two_generations_and_no_more() -> None:
    harmless = Harmless()
    for number in range(3 * KEPT):
        harmless.add(key(number))
    known = sum(key(number) in harmless for number in range(3 * KEPT))
    assert KEPT <= known <= 2 * KEPT
    assert key(3 * KEPT - 1) in harmless


def test_what_comes_again_is_kept() -> None:
    harmless = Harmless()
    for number in range(4 * KEPT):
        assert number == 0 or key(0) in harmless
        harmless.add(key(number))


def test_long_texts_are_not_kept() -> None:
    harmless = Harmless()
    harmless.add(("x" * (LONGEST + 1), "jd", DAY))
    assert ("x" * (LONGEST + 1), "jd", DAY) not in harmless


def test_terms_that_begin_on_a_day_or_hold_on_one_platform_are_found_all_the_same(tmp_path: Path) -> None:
    snapshot = load_snapshot(shipped_lexicons())
    term = Term(
        id="misuse/x", pattern="清仓大狂欢", category="misuse", severity="high", match="substring",
        platforms=("taobao",), valid_from=DAY,
    )  # fmt: skip
    engine = Engine.compile(replace(snapshot, terms=(*snapshot.terms, term)), tmp_path)
    text = "本店清仓大狂欢了亲"
    for _ in range(2):
        assert engine.decide(Message(text, "taobao", day=DAY - timedelta(1))).action == "allow"
        assert engine.decide(Message(text, "jd", day=DAY)).action == "allow"
        assert engine.decide(Message(text, "taobao", day=DAY)).action != "allow"


def test_a_tenants_engine_remembers_for_itself_and_counts_the_pace(tmp_path: Path) -> None:
    snapshot = load_snapshot(shipped_lexicons())
    shipped = Engine.compile(snapshot, tmp_path)
    text = "亲，这款是棉麻混纺的哦"
    assert shipped.decide(Message(text, "jd", day=DAY)).action == "allow"
    own = Term(id="own/x", pattern="棉麻混纺", category="misuse", severity="high", match="substring")
    layer = Layer("own", "v1", Content(terms=(own,)))
    assert shipped.over(lay_over([layer]), {}).decide(Message(text, "jd", day=DAY)).action != "allow"
    assert shipped.decide(Message(text, "jd", day=DAY)).action == "allow"
    flooded = Message(text, "jd", day=DAY, pace=Pace(sent=(1.0,) * 500, same=(1.0,) * 500))
    assert shipped.decide(flooded).action != "allow"
