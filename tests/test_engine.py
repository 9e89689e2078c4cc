"""The main job in one place: a message goes in, the decision comes out with slices of the text as typed."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.engine import Engine
from service.text.message import Message
from service.vocabulary import PLATFORMS, Category, Platform
from tests.reading import found, slices

SECONDS_FOR_THE_WORST = 2.0


@pytest.mark.parametrize(("platform", "text", "action", "category", "expected"), [
    ("kuaishou", "亲，这款是高仿的", "block", "counterfeit", ["高仿"]),
    ("kuaishou", "🐧🐧这款是髙仿，也有精.仿", "block", "counterfeit", ["髙仿", "精.仿"]),
    ("kuaishou", "這款是複印版", "block", "counterfeit", ["複印版"]),
    ("kuaishou", "这款是高̶仿̶的", "block", "counterfeit", ["高̶仿"]),
    ("pinduoduo", "加我微信abc12345", "block", "contact", ["加我微信", "微信abc12345"]),
    ("pinduoduo", "您加ｖｘ：ａｂｃ１２３４５", "block", "contact", ["ｖｘ：ａｂｃ１２３４５"]),
    ("pinduoduo", "＋🐧号12345678", "block", "contact", ["🐧号12345678"]),
    ("pinduoduo", "电话①③⑧零零①③⑧零零零", "block", "contact", ["①③⑧零零①③⑧零零零"]),
    ("pinduoduo", "卡号6222 0210 0000 0000 009谢谢", "block", "bank_account", ["6222 0210 0000 0000 009"]),
    ("pinduoduo", "看https://www.example.com/a?b=c这个", "block", "third_party_link", ["https://www.example.com/a?b=c"]),
    ("pinduoduo", "邮箱kefu@example.com。", "block", "contact", ["kefu@example.com"]),
    ("pinduoduo", "您扫.码.加.我", "block", "qr_code", ["扫.码.加.我"]),
    ("pinduoduo", "私下转账便宜", "block", "off_platform_trade", ["私下转账便宜"]),
    ("taobao", "你个傻❤逼", "block", "abuse", ["傻❤逼"]),
    ("taobao", "你个傻\u200b逼", "block", "abuse", ["傻\u200b逼"]),
    ("jd", "国家级品质", "warn", "ad_law", ["国家级"]),
    ("douyin", "a弹药b", "block", "violence", ["弹药"]),
    ("generic", "好评返现", "block", "review_incentive", ["好评返现"]),
])  # fmt: skip
def test_violations(
    engine: Engine, platform: Platform, text: str, action: str, category: Category, expected: list[str]
) -> None:
    decision = engine.decide(Message(text, platform))
    assert decision.action == action
    hits = slices(text, found(decision, category))
    assert all(any(wanted in hit for hit in hits) for wanted in expected), hits


@pytest.mark.parametrize("text", [
    "亲，已经为您安排发货了，请耐心等待",
    "您的订单20231111123456789012已发出，运单号YT1234567890123",
    "退款会原路退回微信零钱，请留意",
    "亲，可以用支付宝付款的",
    "这款尺码偏小，建议拍大一码，175/92A",
    "活动时间11月11日00:00-23:59，满300减50",
    "您看一下详情页的说明书，按图操作就可以",
    "本店绝无假货，假一赔十",
    "稍微信任一下我们的品质",
    "Smoking is harmful",
    "滚筒洗衣机也能洗，垃圾袋送一卷",
    "路口交通管制，快递晚到一天，给您添大麻烦了",
    "您好.公司规定7天内可退",
    "请您扫一下包装上的条码",
    "这里5号之前都能发货",
    "",
    " \n\t\u3000",
    "\x00",
    "\ud83d",
    "\ue000\uffff",
    "😀😀😀",
])  # fmt: skip
@pytest.mark.parametrize("platform", ["generic", "pinduoduo"])
def test_honest_and_empty_messages(engine: Engine, platform: Platform, text: str) -> None:
    decision = engine.decide(Message(text, platform))
    assert (decision.action, decision.verdicts, decision.masked_text) == ("allow", (), text)


PIECES = [
    "高仿", "髙", "仿", "微信", "加", "v", "x", "abc12345", "13800138000", "🐧", "\u200b", "\u0336", "。", " ", "\n", "\x00",
    "\ud83d", "ﬁ", "①", "https://", "example.com", "@", "傻", "逼", "不是", "好评返现",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=12).map("".join),
    platform=st.sampled_from(PLATFORMS),
)
def test_any_text_is_decided_and_every_span_lies_in_it(engine: Engine, text: str, platform: Platform) -> None:
    decision = engine.decide(Message(text, platform))
    assert (decision.action == "allow") == (decision.verdicts == ())
    candidates = found(decision) + [dismissal.candidate for dismissal in decision.dismissed]
    for candidate in candidates:
        for start, end in (candidate.span, *candidate.more):
            assert 0 <= start < end <= len(text)
    assert len(decision.masked_text) == len(text)
    assert all(verdict.finding.confirmed_by for verdict in decision.verdicts)
    assert all(dismissal.because for dismissal in decision.dismissed)
    assert decision == engine.decide(Message(text, platform))


def test_a_decision_does_not_depend_on_what_was_decided_before(engine: Engine) -> None:
    texts = ["这款是高仿的", "亲，在的", "加我微信abc12345", "这款是高仿的"]
    first = [engine.decide(Message(text, "kuaishou")) for text in texts]
    assert first == [engine.decide(Message(text, "kuaishou")) for text in texts]
    assert first[0] == first[-1]


@pytest.mark.parametrize("text", [
    "加我微信abc12345。" * 700,
    "高" * 10_000,
    "高仿" * 5_000,
    "1" * 10_000,
    "1 " * 5_000,
    "a." * 5_000,
    "http://" * 1_400,
    "微\u200b" * 5_000,
    "人民路" * 3_000,
    "@a" * 5_000,
    "weixin" * 1_600,
    "(" * 10_000,
])  # fmt: skip
def test_the_worst_texts_take_a_moment_and_not_a_minute(engine: Engine, text: str) -> None:
    started = perf_counter()
    decision = engine.decide(Message(text[:10_000], "generic"))
    assert perf_counter() - started < SECONDS_FOR_THE_WORST
    assert len(decision.masked_text) == len(text[:10_000])


def test_a_long_text_full_of_violations_is_not_read_to_its_end(engine: Engine) -> None:
    text = "，".join(term.hits[0] for term in engine.proposer.terms if term.hits)
    decision = engine.decide(Message(text[:10_000], "pinduoduo"))
    assert decision.action == "block"
    assert len(decision.masked_text) == 10_000
    assert set(decision.masked_text[600:]) == {"*"}
    assert any("not read from character" in entry for entry in decision.degraded)


def test_a_long_text_with_few_violations_is_read_to_its_end(engine: Engine) -> None:
    text = "亲，这款是纯棉的，可以机洗，有问题随时联系我们。" * 400 + "你个傻逼"
    decision = engine.decide(Message(text, "pinduoduo"))
    assert [verdict.finding.candidate.span.end for verdict in decision.verdicts] == [len(text)]
    assert decision.degraded == ()
