"""What is tried without all else says what a whole decision says, in a lexicon's own sentences and beside others."""

from __future__ import annotations

import pytest

from service.confirm import CONFIRMED_CHECKS, Confirm
from service.decide.decision import Decision
from service.forked import in_two
from service.lexicon.overlay import Content, Layer
from service.lexicon.term import ExceptionPhrase, Term
from service.lint import message_for
from service.live import Live
from service.text.message import Message
from tests.terms import term

OWN = (
    term("蓝鸽号", match="word", severity="high", disguises=("homophone", "split", "lookalike")),
    term("加微", match="substring", severity="low"),
    term("绿鸽 联系", match="phrase", severity="medium"),
    term("高仿", id="counterfeit/gaofang", category="counterfeit", match="word", severity="low"),
)
SENTENCES = (
    "发您蓝鸽号",
    "蓝.鸽.号联系",
    "懒鸽号",
    "蓝鸽号游轮",
    "亲，加微信聊",
    "请加微波炉",
    "绿鸽这边联系您",
    "这款是高仿的",
    "髙仿一比一",
    "高仿真花",
    "亲，已经为您安排发货了",
    "发您蓝鸽号" + "，好的" * 700,
)


def confirmed(decision: Decision) -> set[str]:
    candidates = [verdict.finding.candidate for verdict in decision.verdicts]
    candidates += [each.candidate for each in decision.dismissed if each.check in CONFIRMED_CHECKS]
    return {each.term.id for each in candidates if each.term}


@pytest.mark.parametrize("text", SENTENCES)
def test_it_says_what_a_decision_says(live: Live, text: str) -> None:
    content = Content(terms=OWN, exceptions=(ExceptionPhrase(phrase="蓝鸽号游轮"),))
    engine = live.compose([Layer("shop-words", "1", content)], {})
    confirm, whole = Confirm(engine), confirmed(engine.decide(Message(text, "taobao")))
    assert {each.id for each in OWN if confirm.finds(each, Message(text, "taobao"))} == whole & {t.id for t in OWN}


def test_shipped_terms_are_confirmed_too(live: Live) -> None:
    confirm = Confirm(live.engine)
    for each in live.shipped.terms[::60]:
        assert all(confirm.finds(each, message_for(each, text)) for text in each.hits)


def test_two_processes_do_what_one_does() -> None:
    def work(terms: list[Term]) -> list[str]:
        return [each.id for each in terms if each.match != "phrase"]

    many = list(OWN) * 700
    assert in_two(work, many) == work(many)  # type: ignore[arg-type]
