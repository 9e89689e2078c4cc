from __future__ import annotations

import pytest

from service.engine import Engine
from service.text.message import Assets, Image, Message

CLEAN = "亲，已经为您安排发货了"


@pytest.mark.parametrize(("image", "action", "kind"), [
    (Image(payloads=("https://example.com/x",)), "block", "link"),
    (Image(payloads=("wxp://f2f0abc",)), "block", "wechat_pay"),
    (Image(undecodable=True), "warn", "unreadable"),
    (Image(skipped="not fetched"), "warn", "not_inspected"),
])  # fmt: skip
def test_pictures(engine: Engine, image: Image, action: str, kind: str) -> None:
    decision = engine.decide(Message(CLEAN, "pinduoduo", images=(Image(), image)))
    assert decision.action == action
    (verdict,) = decision.verdicts
    candidate = verdict.finding.candidate
    assert (candidate.category, candidate.kind, candidate.field) == ("qr_code", kind, "attachments/1")
    assert verdict.clauses == ("pinduoduo 2.2",)
    assert decision.masked_text == CLEAN


def test_a_clean_picture_passes(engine: Engine) -> None:
    decision = engine.decide(Message(CLEAN, "pinduoduo", images=(Image(),)))
    assert (decision.action, decision.degraded) == ("allow", ())


def test_what_was_not_inspected_is_named(engine: Engine) -> None:
    images = (Image(skipped="not fetched"), Image(skipped="too large"), Image(skipped="not fetched"))
    assert engine.decide(Message(CLEAN, "generic", images=images)).degraded == (
        "qr_image: 2 not fetched",
        "qr_image: 1 too large",
    )


@pytest.mark.parametrize(("payload", "platform", "domains"), [
    ("https://mobile.yangkeduo.com/goods.html?goods_id=1", "pinduoduo", ()),
    ("https://shop.example.com/a", "pinduoduo", ("example.com",)),
])  # fmt: skip
def test_own_codes_pass(engine: Engine, payload: str, platform: str, domains: tuple[str, ...]) -> None:
    message = Message(CLEAN, platform, assets=Assets(domains=domains), images=(Image(payloads=(payload,)),))  # type: ignore[arg-type]
    decision = engine.decide(message)
    assert decision.action == "allow"
    assert [dismissal.check for dismissal in decision.dismissed] == ["own_domain"]


def test_every_code_counts(engine: Engine) -> None:
    decision = engine.decide(Message("", "generic", images=(Image(payloads=("a", "bb")), Image(payloads=("a",)))))
    values = [(v.finding.candidate.field, v.finding.candidate.value) for v in decision.verdicts]
    assert sorted(values) == [("attachments/0", "a"), ("attachments/0", "bb"), ("attachments/1", "a")]
