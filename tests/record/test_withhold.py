"""What is kept of a message: the same length, without what identifies a person or an account."""

from __future__ import annotations

from datetime import date
from typing import Literal

import pytest

from service.decide.decision import Decision, Verdict
from service.lexicon.term import Localized
from service.match.candidate import Candidate
from service.record.outcome import Outcome, outcome_of
from service.record.withhold import for_retries, kept_findings, kept_text, overwrite, replayed, storable
from service.text.span import Span
from service.verify.finding import Dismissal, Finding
from service.vocabulary import Category

TEXT = "😀卡号6222021234567894，电话13800138000，高仿，高仿"
CARD, PHONE, WORD = Span(3, 19), Span(22, 33), Span(34, 36)


MORE = Span(37, 39)


def candidate(detector: str, category: Category, span: Span, field: str = "text") -> Candidate:
    return Candidate(
        detector=detector,
        category=category,
        severity="high",
        span=span,
        parts=(span,),
        view="folded",
        value=TEXT[span.start : span.end],
        field=field,
        more=(MORE,) if span is WORD else (),
    )


def decision(check: str = "own_asset", field: str = "text") -> Decision:
    hits = [candidate("cards", "bank_account", CARD, field), candidate("terms", "counterfeit", WORD)]
    phone = candidate("phones", "contact", PHONE)
    return Decision(
        action="block",
        verdicts=tuple(Verdict(Finding(hit, "high", "a check"), "block", ()) for hit in hits),
        dismissed=(Dismissal(phone, check, "13800138000 is the shop's own"),),
        masked_text=overwrite(TEXT, [CARD, WORD, MORE] if field == "text" else [WORD, MORE]),
        agent_message=Localized("不行", "no"),
        suggestion=Localized(),
        degraded=(),
        lexicon_version="builtin@1",
        policy_version=f"generic@{date(2026, 1, 1)}",
    )


def outcome(of: Decision) -> Outcome:
    return outcome_of(of, TEXT, "r", explain=True)


def test_secrets_are_asterisks_of_the_same_length() -> None:
    kept = kept_text(decision(), TEXT, keep_evidence=False)
    assert kept == f"😀卡号{'*' * 16}，电话13800138000，高仿，高仿"
    assert kept_text(decision(), TEXT, keep_evidence=True) == TEXT


@pytest.mark.parametrize("check", ["policy", "contained"])
def test_a_real_number_that_a_policy_allows_is_one_all_the_same(check: Literal["policy", "contained"]) -> None:
    assert "13800138000" not in kept_text(decision(check), TEXT, keep_evidence=False)


def test_findings_are_sliced_from_what_is_kept() -> None:
    kept = kept_text(decision(), TEXT, keep_evidence=False)
    rows = kept_findings(outcome(decision()), kept, keep_evidence=False)
    assert [row.text for row in rows] == ["*" * 16, "高仿"]


def test_a_picture_has_no_text_to_slice_but_may_hold_a_secret() -> None:
    of = outcome(decision(field="attachments/0"))
    assert kept_findings(of, TEXT, keep_evidence=False)[0].text == "*" * 16
    assert kept_findings(of, TEXT, keep_evidence=True)[0].text == "6222021234567894"


def test_a_reply_holds_no_word_and_comes_back_whole() -> None:
    of = outcome(decision())
    kept = for_retries(of, keep_evidence=False)
    assert "6222021234567894" not in repr(kept)
    assert "13800138000" not in repr(kept)
    assert "高仿" not in repr(kept)
    again = replayed(kept, TEXT)
    assert again.replayed
    assert again.masked_text == of.masked_text
    assert again.findings == of.findings
    assert [row.text for row in again.dismissed] == ["13800138000"]


def test_nul_gives_way_to_its_picture() -> None:
    assert storable("a\0b") == "a␀b"
