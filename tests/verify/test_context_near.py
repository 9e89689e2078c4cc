"""Contexts that look inside a hit, and what voids them."""

from __future__ import annotations

import pytest

from service.engine import Engine
from service.lexicon.context import Context
from service.lexicon.term import Localized
from service.match.candidate import Candidate
from service.text.message import Message
from service.text.span import Span
from service.verify.contexts import compile_contexts
from service.verify.surroundings import look_around


@pytest.mark.parametrize(("platform", "text"), [
    ("taobao", "淘宝下单的要在淘宝申请售后"),
    ("generic", "您在抖音直播间下单的吗"),
    ("taobao", "去淘宝首页搜索我们店铺就可以找到"),
    ("taobao", "微信扫一扫包装上的二维码看安装视频"),
    ("jd", "您可以关注店铺公众号查询保修信息"),
    ("kuaishou", "亲亲收到货给个好评呗，送您一朵小红花"),
    ("jd", "您去京东下单的时候选择京东配送"),
    ("pinduoduo", "买家您刚才说“加微信”是吗"),
    ("pinduoduo", "您刚才说的加微信是什么意思呢"),
    ("pinduoduo", "怀疑是假货的话您可以提供鉴定报告"),
])  # fmt: skip
def test_honest_sentences_pass(engine: Engine, platform: str, text: str) -> None:
    assert engine.decide(Message(text, platform)).action == "allow"  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [
    "您先退款，我私下给您发货",
    "下次别在平台买，找我",
    "扫一扫包装里的二维码领红包",
    "关注公众号领红包",
    "给个好评送您小礼物",
    "不用担心，这款高仿看不出来",
    "您说一下，加微信发您图",
])  # fmt: skip
def test_what_looks_like_them_does_not(engine: Engine, text: str) -> None:
    assert engine.decide(Message(text, "pinduoduo")).action != "allow"


@pytest.mark.parametrize(
    ("text", "applies"), [("扫包装上的码", True), ("扫包装上的码领奖", False), ("扫我的码", False)]
)
def test_near_and_unless_are_both_looked_at(text: str, applies: bool) -> None:
    fields = {"near": "包装[^。]{0,2}码", "unless": "领奖"}
    context = Context(id="made-up", effect="dismiss", reason=Localized(), categories=("qr_code",), **fields)  # type: ignore[arg-type]
    candidate = Candidate("terms", "qr_code", "high", Span(0, 1), (Span(0, 1),), "squeezed", "扫")
    (rule,) = compile_contexts([context])
    assert rule.applies(candidate, look_around(candidate, text)) is applies
