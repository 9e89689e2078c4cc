"""Why a number, link or account was dismissed: the check that did it, with its words."""

from __future__ import annotations

import pytest

from service.engine import Engine
from service.text.message import Message
from tests.reading import weigh


@pytest.mark.parametrize(("text", "detector", "check", "because"), [
    ("订单号13800138000", "phones", "context", "订单"),
    ("13800138000元", "phones", "context", "元"),
    ("电话+99913800138000", "phones", "form", "no number of any country"),
    ("6222021000000000000", "cards", "checksum", "check digit"),
    ("运单号6222021000000000009", "cards", "context", "单号"),
    ("4111111111111111", "cards", "bin", "411111"),
    ("GB82WEST12345698765431", "ibans", "checksum", "IBAN"),
    ("110105194912310021", "identities", "checksum", "check digit"),
    ("订单11010519491231002X", "identities", "context", "订单"),
    ("说明书.pdf", "links", "public_suffix", ".pdf"),
    ("config.py", "links", "unit", "config.py"),
    ("固件10.0.0.1", "links", "context", "version"),
    ("您好.公司规定", "links", "form", "公司规定"),
    ("型号V12345", "accounts", "context", "型号"),
    ("进口20240101批次", "accounts", "context", "进口"),
    ("找20240101的单", "accounts", "form", "begins with a date"),
    ("首页搜XR2023", "accounts", "context", "product"),
    ("(SAVE2023)", "links", "context", "nothing says"),
    ("支付宝vipvip", "payments", "form", "reads as a word"),
    ("寄回杭州市文一路18号", "addresses", "context", "寄回"),
    ("这里5号发货", "addresses", "form", "这里"),
])  # fmt: skip
def test_a_dismissal_says_why(engine: Engine, text: str, detector: str, check: str, because: str) -> None:
    findings, dismissals = weigh(engine, Message(text, "generic"))
    assert [finding for finding in findings if finding.candidate.detector == detector] == []
    reasons = [(d.check, d.because) for d in dismissals if d.candidate.detector == detector]
    assert any(name == check and because in words for name, words in reasons), reasons


@pytest.mark.parametrize(("text", "detector", "by"), [
    ("电话13800138000", "phones", "mobile prefix 138"),
    ("6222021000000000009", "cards", "Luhn and BIN 622202"),
    ("卡号6222021000000000000", "cards", "卡号 nearby, though the check digit is wrong"),
    ("IBAN GB82WEST12345698765432", "ibans", "IBAN checksum, country GB"),
    ("11010519491231002X", "identities", "region, birthday and check digit"),
    ("www.example.com", "links", "link to www.example.com"),
    ("实体店在人民路12号", "addresses", "实体店 invites to come"),
    ("人民路12号", "addresses", "road and house number, not registered"),
])  # fmt: skip
def test_a_finding_says_what_confirmed_it(engine: Engine, text: str, detector: str, by: str) -> None:
    findings, _ = weigh(engine, Message(text, "generic"))
    assert by in [finding.confirmed_by for finding in findings if finding.candidate.detector == detector]


@pytest.mark.parametrize(("text", "severity"), [
    ("我们实体店在人民路12号", "high"), ("人民路12号", "medium"),
])  # fmt: skip
def test_an_invitation_weighs_more_than_a_bare_address(engine: Engine, text: str, severity: str) -> None:
    findings, _ = weigh(engine, Message(text, "generic"))
    assert [f.severity for f in findings if f.candidate.detector == "addresses"] == [severity]
