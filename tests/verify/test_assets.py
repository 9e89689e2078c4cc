from __future__ import annotations

import pytest

from service.engine import Engine
from service.text.message import Assets, Message
from service.vocabulary import Platform
from tests.reading import found


@pytest.mark.parametrize(("text", "platform"), [
    ("https://item.taobao.com/item.htm?id=1", "taobao"),
    ("https://m.tb.cn/h.abc", "taobao"),
    ("https://detail.tmall.com/item.htm?id=1", "tmall"),
    ("https://mobile.yangkeduo.com/goods.html?goods_id=1", "pinduoduo"),
    ("https://www.kuaishou.com/x", "kuaishou"),
    ("https://item.jd.com/1.html", "jd"),
])  # fmt: skip
def test_the_platforms_own_links_pass(engine: Engine, text: str, platform: Platform) -> None:
    decision = engine.decide(Message(text, platform))
    assert decision.action == "allow"
    assert "own_domain" in {dismissal.check for dismissal in decision.dismissed}


@pytest.mark.parametrize(("text", "platform"), [
    ("https://item.taobao.com/item.htm?id=1", "pinduoduo"),
    ("https://taobao.com.example.com/", "taobao"),
    ("https://nottaobao.com/", "taobao"),
    ("https://taobao.com@example.com/", "taobao"),
    ("https://mobile.yangkeduo.com/", "kuaishou"),
])  # fmt: skip
def test_links_to_others_do_not(engine: Engine, text: str, platform: Platform) -> None:
    assert engine.decide(Message(text, platform)).action == "block"


SHOP = Assets(
    domains=("Example.COM", "shop.example.org"),
    phones=("400-800-1234", "+86 138 0013 8000", "(0755) 8234-5678"),
    emails=("KeFu@example.net",),
    addresses=("广东省深圳市南山区科技路88号",),
    accounts=("6222 0210 0000 0000 009", "Pay@example.net", "139 0013 9000", "GB82 WEST 1234 5698 7654 32"),
)


@pytest.mark.parametrize("text", [
    "https://www.example.com/a",
    "example.com/a",
    "shop.example.org",
    "www.shop.example.org/a?b",
    "EXAMPLE点COM",
    "热线400-800-1234",
    "热线4008001234",
    "联系4008001234",
    "联系400-800-1234",
    "加我13800138000",
    "电话13800138000",
    "电话138-0013-8000",
    "电话+86 13800138000",
    "电话一三八零零一三八零零零",
    "座机0755-82345678",
    "邮箱kefu@example.net",
    "邮箱 KEFU@EXAMPLE.NET",
    "我们的地址：广东省深圳市南山区科技路88号",
    "南山区科技路88号",
    "卡号6222021000000000009",
    "卡号6222 0210 0000 0000 009",
    "IBAN GB82WEST12345698765432",
    "支付宝账号：pay@example.net",
    "支付宝13900139000",
])  # fmt: skip
def test_what_the_shop_has_registered_passes_in_any_written_form(engine: Engine, text: str) -> None:
    bare = [c for c in found(engine.decide(Message(text, "generic"))) if c.detector != "terms"]
    own = [c for c in found(engine.decide(Message(text, "generic", assets=SHOP))) if c.detector != "terms"]
    assert bare
    assert own == []


@pytest.mark.parametrize("text", [
    "https://example.com.example.org/", "https://example.org/",
    "热线400-800-9999", "电话13800138001", "邮箱other@example.net", "南山区科技路99号",
    "6222021000000000017",
])  # fmt: skip
def test_what_is_not_registered_does_not(engine: Engine, text: str) -> None:
    assert found(engine.decide(Message(text, "generic", assets=SHOP)))


def test_a_registered_city_does_not_excuse_its_every_street(engine: Engine) -> None:
    assert found(engine.decide(Message("上海市人民路12号", "generic", assets=Assets(addresses=("上海市",)))))
