"""A tenant's words read from a file decide every message as the same words compiled here."""

from __future__ import annotations

from datetime import date

import pytest

from service.compact.sections import join_sections, split_sections
from service.decide.decision import Decision
from service.engine import Engine
from service.errors import DataError
from service.lexicon.overlay import Content, Layer, Overlay, lay_over
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import ExceptionPhrase, Localized, Term
from service.match.harmless import Harmless
from service.text.message import Earlier, Message
from tests.terms import term

DAY = date(2026, 3, 1)
OWN = (
    term("蓝鸽号", id="contact/langehao", category="contact", match="substring", disguises=("homophone", "lookalike")),
    term("拍下 返现", match="phrase", hits=("拍下就返现",)),
    term("加", match="word", with_=("飞鸽",)),
    term("某个很长很长很长的说法", match="substring", except_=("不是某个很长很长很长的说法",)),
    term("限时", match="substring", valid_from=DAY, valid_until=DAY),
    Term(id="counterfeit/gaofang", pattern="高仿", category="counterfeit", severity="low"),
)
TEXTS = (
    "留个蓝鸽号吧", "兰鸽号是多少", "蓝鸽号游轮", "拍下就给返现", "加我飞鸽", "加我", "这款是高仿的", "某个很长很长很长的说法",
    "这不是某个很长很长很长的说法", "限时", "稍微信任", "加我威信", "", "蓝",
)  # fmt: skip


@pytest.fixture(scope="module")
def overlay(snapshot: Snapshot) -> Overlay:
    first = Content(
        terms=OWN,
        terms_off=tuple(each.id for each in snapshot.terms[::7]),
        exceptions=(ExceptionPhrase(phrase="蓝鸽号游轮"),),
        exceptions_off=tuple(each.phrase for each in snapshot.exceptions[::5]),
    )
    return lay_over(
        [
            Layer("a", "1", first),
            Layer("b", "2", Content(terms=(term("另一本", match="substring", reason=Localized()),))),
        ]
    )


def packed(engine: Engine, overlay: Overlay) -> Engine:
    """By way of the bytes of a file."""
    return engine.open(split_sections(memoryview(b"".join(join_sections(engine.pack(overlay))))), {})


def test_what_is_read_decides_as_what_is_compiled(engine: Engine, snapshot: Snapshot, overlay: Overlay) -> None:
    compiled, read = engine.over(overlay, {}), packed(engine, overlay)
    assert read.lexicon_version == compiled.lexicon_version
    assert isinstance(read.proposer.harmless, Harmless)
    assert read.proposer.harmless is not engine.proposer.harmless

    def all_of(decision: Decision) -> object:
        return decision.action, decision.verdicts, decision.dismissed, decision.lexicon_version

    texts = [*TEXTS, *snapshot.corpus[::9], *(hit for each in snapshot.terms[::5] for hit in each.hits[:1])]
    for text in texts:
        for day in (DAY, date(2026, 3, 2)):
            message = Message(text, "pinduoduo", day=day, earlier=(Earlier("留个蓝鸽", "m"),))
            assert all_of(read.decide(message)) == all_of(compiled.decide(message)), text


def test_a_term_begins_and_ends_by_itself(engine: Engine, overlay: Overlay) -> None:
    read = packed(engine, overlay)
    found = [bool(read.decide(Message("限时", "generic", day=DAY.replace(day=day))).verdicts) for day in (1, 2)]
    assert found == [True, False]
    assert read.proposer.terms[len(read.proposer.terms) - 1].reason.zh_cn, "a term without a reason has its category's"


def test_words_that_can_not_be_compiled_are_refused(engine: Engine) -> None:
    for content in (Content(terms=(term("！！"),)), Content(exceptions=(ExceptionPhrase(phrase="！"),))):
        with pytest.raises(DataError):
            engine.pack(lay_over([Layer("a", "1", content)]))
