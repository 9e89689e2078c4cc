"""A tenant's lexicons over the shipped one: what they hold, and what an engine with them finds."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.decide.decision import Decision
from service.engine import Engine
from service.errors import DataError
from service.lexicon.overlay import Content, Layer, flatten, lay_over, version_of
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import ExceptionPhrase, Term
from service.text.message import Earlier, Message
from tests.terms import term

DAY = date(2026, 3, 1)
PIGEON = term("蓝鸽号", id="contact/langehao", category="contact", match="substring", disguises=("homophone",))
SHIP = ExceptionPhrase(phrase="蓝鸽号游轮")
SOFTER = Term(id="counterfeit/gaofang", pattern="高仿", category="counterfeit", severity="low")


def layer(name: str = "shop-words", **content: object) -> Layer:
    made = Content(**content)  # type: ignore[arg-type]
    return Layer(name, version_of(made.canonical()), made)


def over(engine: Engine, *layers: Layer) -> Engine:
    return engine.over(lay_over(layers), {})


def found(engine: Engine, text: str, day: date = DAY) -> list[tuple[str, str]]:
    """(term, lexicon) of everything that is found in `text`."""
    hits = [verdict.finding.candidate for verdict in engine.decide(Message(text, "pinduoduo", day=day)).verdicts]
    return [(hit.term.id, hit.lexicon) for hit in hits if hit.term]


@given(st.permutations(range(4)), st.permutations(range(2)))
def test_equal_content_has_an_equal_version(order: list[int], others: list[int]) -> None:
    terms = [term(pattern) for pattern in "甲乙丙丁"]
    phrases = [ExceptionPhrase(phrase=phrase) for phrase in ("甲板", "乙方")]
    first = Content(terms=tuple(terms), exceptions=tuple(phrases), terms_off=("a/1", "a/2"))
    again = Content(
        terms=tuple(terms[number] for number in order),
        exceptions=tuple(phrases[number] for number in others),
        terms_off=("a/2", "a/1"),
    )
    assert version_of(first.canonical()) == version_of(again.canonical())
    assert version_of(Content(terms=tuple(terms[1:])).canonical()) != version_of(first.canonical())


def test_a_term_of_the_tenant_is_found_in_its_disguises_and_says_where_it_stands(engine: Engine) -> None:
    mine = over(engine, layer(terms=(PIGEON,)))
    for text in ("留个蓝鸽号吧", "蓝-鸽-号发我", "兰鸽号是多少"):
        assert found(mine, text) == [("contact/langehao", "shop-words")]
        assert found(engine, text) == []
    assert mine.lexicon_version.startswith(f"{engine.lexicon_version}+shop-words@")


def test_a_term_of_the_tenant_is_found_over_several_messages(engine: Engine) -> None:
    split = Message("鸽号", "pinduoduo", day=DAY, earlier=(Earlier("蓝", "m-1"),))
    assert [each.finding.candidate.lexicon for each in over(engine, layer(terms=(PIGEON,))).decide(split).verdicts] == [
        "shop-words"
    ]
    assert engine.decide(split).verdicts == ()


def test_an_exception_of_the_tenant_excuses(engine: Engine) -> None:
    assert found(over(engine, layer(terms=(PIGEON,), exceptions=(SHIP,))), "蓝鸽号游轮的船票") == []


def test_a_shipped_term_is_switched_off_for_this_tenant_alone(engine: Engine) -> None:
    ids = {term_id for term_id, _ in found(engine, "亲，这款是高仿的")}
    assert ids
    assert found(over(engine, layer(terms_off=tuple(ids))), "亲，这款是高仿的") == []
    assert {term_id for term_id, _ in found(engine, "亲，这款是高仿的")} == ids


def test_a_shipped_term_is_replaced_with_all_that_belonged_to_it(engine: Engine, snapshot: Snapshot) -> None:
    shipped = next(each for each in snapshot.terms if each.except_ and each.match == "substring")
    plain = Term(id=shipped.id, pattern=shipped.except_[0], category=shipped.category, severity="critical")
    hits = found(over(engine, layer(terms=(plain,))), shipped.except_[0])
    assert (shipped.id, "shop-words") in hits
    assert (shipped.id, "builtin") not in hits


def test_a_shipped_exception_is_switched_off(engine: Engine, snapshot: Snapshot) -> None:
    entry = next(
        each
        for each in snapshot.exceptions
        if found(over(engine, layer(exceptions_off=(each.phrase,))), each.passes[0])
    )
    assert found(engine, entry.passes[0]) == []


def test_the_lexicon_later_by_name_counts(engine: Engine) -> None:
    first, second = layer("a", terms=(PIGEON,)), layer("b", terms_off=(PIGEON.id,))
    assert found(over(engine, second, first), "留个蓝鸽号吧") == []
    swapped = over(engine, layer("b", terms=(PIGEON,)), layer("a", terms_off=(PIGEON.id,)))
    assert found(swapped, "留个蓝鸽号吧") == [("contact/langehao", "b")]


def test_a_term_begins_and_ends_by_itself(engine: Engine) -> None:
    campaign = term("双十一返场", valid_from=date(2026, 11, 1), valid_until=date(2026, 11, 11), match="substring")
    mine = over(engine, layer(terms=(campaign,)))
    days = [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 11), date(2026, 11, 12)]
    assert [bool(found(mine, "双十一返场了", day)) for day in days] == [False, True, True, False]


def test_a_term_without_reason_has_the_words_of_its_category(engine: Engine) -> None:
    mine = over(engine, layer(terms=(Term(id="abuse/x", pattern="嘎嘎怪", category="abuse", severity="high"),)))
    (verdict,) = mine.decide(Message("嘎嘎怪", "taobao", day=DAY)).verdicts
    assert verdict.finding.candidate.reason == engine.categories["abuse"].advice


def test_a_term_of_nothing_is_refused(engine: Engine) -> None:
    with pytest.raises(DataError, match="abuse/!!"):
        over(engine, layer(terms=(term("!!"),)))


def test_layers_find_what_one_engine_of_everything_finds(engine: Engine, snapshot: Snapshot) -> None:
    overlay = lay_over(
        [
            layer(
                terms=(PIGEON, SOFTER, term("拍下 返现", match="phrase"), term("加", match="word", with_=("飞鸽",))),
                terms_off=tuple(each.id for each in snapshot.terms[::7]),
                exceptions=(SHIP,),
                exceptions_off=tuple(each.phrase for each in snapshot.exceptions[::5]),
            )
        ]
    )
    layered, whole = engine.over(overlay, {}), Engine.compile(flatten(snapshot, overlay))

    def seen(decision: Decision) -> list[tuple[object, ...]]:
        found = (verdict.finding.candidate for verdict in decision.verdicts)
        return sorted((*hit.span, hit.value, hit.severity, hit.view) for hit in found)

    texts = [*snapshot.corpus[::3], *(text for each in snapshot.terms[::3] for text in (*each.hits, *each.passes))]
    texts += ["蓝鸽号游轮", "兰鸽号", "拍下就给返现", "加我飞鸽", "这款是高仿的"]
    for text in texts:
        message = Message(text, "pinduoduo", day=DAY)
        assert seen(layered.decide(message)) == seen(whole.decide(message)), text
