from __future__ import annotations

from typing import Any

import pytest

from service.engine import Engine
from service.errors import DataError
from service.lexicon.context import Context
from service.lexicon.term import Localized
from service.text.message import Message
from service.verify.contexts import compile_contexts
from tests.reading import found, slices, weigh


@pytest.mark.parametrize("text", [
    "本店绝无假货，请放心",
    "我们家不是高仿，支持专柜验货",
    "这款并非高仿",
    "严禁私下交易，谨防受骗",
    "假货一赔十，您放心",
    "请勿相信任何加微信的要求",
    "平台规定不能加微信哦",
    "我们不会要求您加微信",
    "让您加微信转账的都是骗子",
    "退款会原路退回微信零钱",
])  # fmt: skip
def test_denials_explanations_and_warnings_pass(engine: Engine, text: str) -> None:
    assert engine.decide(Message(text, "generic")).action == "allow"


@pytest.mark.parametrize(("text", "expected"), [
    ("不是正品，是高仿", "高仿"),
    ("这款是高仿的，您放心", "高仿"),
    ("不用客气，加我微信聊", "加我微信"),
    ("要不要加我微信", "加我微信"),
    ("加我微信，退款我转给您", "加我微信"),
    ("没有假货。这款是高仿", "高仿"),              # another sentence
    ("绝不骗您，这款就是高仿", "高仿"),
])  # fmt: skip
def test_a_denial_of_something_else_does_not_help(engine: Engine, text: str, expected: str) -> None:
    assert expected in slices(text, found(engine.decide(Message(text, "generic"))))


def test_a_denial_lowers_the_severity_and_says_so(engine: Engine) -> None:
    findings, _ = weigh(engine, Message("我们家不是高仿", "generic"))
    assert {finding.severity for finding in findings} == {"low"}
    assert all("lowered by context denial" in finding.confirmed_by for finding in findings)


def test_a_warning_dismisses_and_says_why(engine: Engine) -> None:
    findings, dismissals = weigh(engine, Message("请勿加微信", "generic"))
    assert findings == []
    assert {(dismissal.check, dismissal.because) for dismissal in dismissals} == {("context", "warning_to_customer")}


def context(**fields: Any) -> Context:
    return Context(id="made-up", effect="dismiss", reason=Localized(), categories=("abuse",), **fields)


@pytest.mark.parametrize(("fields", "problem"), [
    ({}, "it would hold everywhere"),
    ({"before": "("}, "RE2 refuses the pattern"),
    ({"after": "(?=a)"}, "RE2 refuses the pattern"),
])  # fmt: skip
def test_a_context_that_cannot_be_used_is_refused(fields: dict[str, str], problem: str) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        compile_contexts([context(**fields)])
    assert "contexts.toml: made-up" in str(caught.value)
