"""Every rule of the lint fires on a snapshot that was made for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from service.engine import Engine
from service.lexicon.context import Context
from service.lexicon.frequency import Frequency, Night, Rule, Run
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import ExceptionPhrase, Localized, Term
from service.lint import Complaint, check_form, lint
from tests.terms import term

GOOD = term("甲乙丙丁", match="substring", hits=("有甲乙丙丁吗",), passes=("有甲乙丙吗",))


def made(snapshot: Snapshot, *terms: Term, **fields: Any) -> Snapshot:
    """The shipped tables and detectors with other terms and phrases."""
    return replace(snapshot, **{"terms": terms, "exceptions": (), "contexts": (), "corpus": (), **fields})


def form_of(snapshot: Snapshot, *terms: Term) -> list[tuple[str, str]]:
    return [(complaint.rule, complaint.subject) for complaint in check_form(made(snapshot, *terms))]


@pytest.mark.parametrize(("terms", "rule"), [
    ((GOOD, term("戊己庚", id=GOOD.id)), "duplicate_id"),
    ((term("戊己庚", id="threat/x"),), "id_prefix"),
    ((term("。！"),), "empty"),
    ((term("戊 。", match="phrase"),), "empty"),
    ((term(" ", match="phrase"),), "empty"),
    ((GOOD, term("ＡＢ", id="abuse/a"), term("ab", id="abuse/b")), "duplicate"),
    ((term("轉賬", id="abuse/a"), term("转账", id="abuse/b")), "duplicate"),
    ((term("戊", match="phrase"),), "phrase"),
    ((term("戊", match="substring"),), "single_character"),
    ((term("戊 己", match="phrase", gap=21),), "gap"),
    ((term("戊 己", match="phrase", gap=-1),), "gap"),
    ((term("戊己", except_=("戊己",)),), "excused"),
    ((term("戊 己", match="phrase", except_=("戊己",)),), "excused"),
    ((term("戊己", hits=()),), "no_example"),
    ((term("戊己", reason=Localized()),), "no_reason"),
    ((term("戊己", reason=Localized("只有中文")),), "no_reason"),
])  # fmt: skip
def test_rules_about_form(snapshot: Snapshot, terms: tuple[Term, ...], rule: str) -> None:
    assert rule in [name for name, _ in form_of(snapshot, *terms)]
    assert (rule, GOOD.id) not in form_of(snapshot, *terms) or rule == "duplicate_id"


@pytest.mark.parametrize("terms", [
    (GOOD,),
    (term("戊"),),
    (term("戊", match="substring", with_=("己",)),),
    (term("戊己", platforms=("jd",)), term("戊己", id="abuse/taobao", platforms=("taobao",))),
    (term("戊己"), term("戊己", id="abuse/with", with_=("庚",))),
])  # fmt: skip
def test_good_forms(snapshot: Snapshot, terms: tuple[Term, ...]) -> None:
    assert form_of(snapshot, *terms) == []


CONTEXT = Context(
    id="made-up",
    effect="dismiss",
    reason=Localized(),
    categories=("abuse",),
    before="没有",
    passes=("没有甲乙丙丁",),
    hits=("都是甲乙丙丁",),
)


RULE = Rule(
    id="often",
    count=3,
    window=60,
    severity="low",
    reason=Localized(),
    identical=True,
    hits=(Run(messages=3, seconds=60, at=time(12), text="在吗"), Run(messages=3, seconds=60, at=time(12))),
    passes=(
        Run(messages=4, seconds=90, at=time(9, 30), text="在吗"),
        Run(messages=3, seconds=70, at=time(12), text="?"),
    ),
)


@pytest.fixture(scope="module")
def bad(snapshot: Snapshot) -> list[Complaint]:
    """What is said of a snapshot in which every example is wrong."""
    spoilt = made(
        snapshot,
        GOOD,
        term("戊己庚辛", match="substring", hits=("戊己庚",), passes=("戊己庚辛",)),
        term("子丑寅卯", match="substring", hits=("没有子丑寅卯",)),
        exceptions=(ExceptionPhrase(phrase="天甲乙丙丁", passes=("地甲乙丙丁",)),),
        contexts=(
            CONTEXT,
            Context(
                id="other",
                effect="dismiss",
                reason=Localized(),
                categories=("abuse",),
                before="绝无",
                passes=("有甲乙丙丁",),
                hits=("绝无甲乙丙丁",),
            ),
        ),
        corpus=("这里有甲乙丙丁", "这里没有"),
        frequency=Frequency(Night(time(23), time(7)), (RULE,)),
    )
    return lint(spoilt, Engine.compile(spoilt))


@pytest.mark.parametrize(("rule", "subject", "detail"), [
    ("missed", "abuse/戊己庚辛", "does not find 「戊己庚」"),
    ("missed", "abuse/子丑寅卯", "does not find 「没有子丑寅卯」 (context: made-up)"),
    ("false_hit", "abuse/戊己庚辛", "finds 「戊己庚辛」"),
    ("false_hit", "abuse/甲乙丙丁 (block): 甲乙丙丁", "finds 「地甲乙丙丁」 of 天甲乙丙丁"),
    ("false_hit", "abuse/甲乙丙丁 (block): 甲乙丙丁", "finds 「有甲乙丙丁」 of other"),
    ("missed", "other", "nothing is found in 「绝无甲乙丙丁」"),
    ("missed", "often", "3 messages in 60 s at 12:00"),
    ("false_hit", "often", "4 messages in 90 s at 09:30 在吗"),
    ("ordinary_sentence", "abuse/甲乙丙丁 (block): 甲乙丙丁", "finds 「这里有甲乙丙丁」"),
])  # fmt: skip
def test_rules_about_examples(bad: list[Complaint], rule: str, subject: str, detail: str) -> None:
    assert Complaint(rule, subject, detail) in bad
    assert str(Complaint(rule, subject, detail)) == f"{rule}: {subject}: {detail}"


def test_nothing_else_is_said(bad: list[Complaint]) -> None:
    assert len(bad) == 9


def test_a_good_snapshot_has_no_complaints(snapshot: Snapshot) -> None:
    good = made(
        snapshot,
        GOOD,
        term("戊己", platforms=("jd",), hits=("戊己",), valid_until=None),
        exceptions=(ExceptionPhrase(phrase="天甲乙丙丁", passes=("天甲乙丙丁",)),),
        contexts=(CONTEXT,),
        corpus=("这里没有",),
    )
    assert lint(good, Engine.compile(good)) == []
