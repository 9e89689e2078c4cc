from __future__ import annotations

import pytest

from service.engine import Engine
from service.text.message import Assets, Message
from service.verify.own_addresses import bare_address
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
    domains=("Example.COM", "https://www.shop.example.org/", "例子.中国"),
    phones=("400-800-1234", "+86 138 0013 8000", "(0755) 8234-5678", "66668888", "０１０－８７６５４３２１转8001"),
    emails=("KeFu@example.net",),
    addresses=("广东省深圳市南山区科技路88号",),
    accounts=(
        "工商银行 6222 0210 0000 0000 009",
        "Pay@example.net",
        "139 0013 9000",
        "GB82 WEST 1234 5698 7654 32",
        "微信号：Shop_KeFu",
        "QQ 2345678901",
    ),
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
    "http://m.shop.example.org:8080/a",
    "ｗｗｗ．example．com",
    "xn--fsqu00a.xn--fiqs8s",
    "热线４００－８００－１２３４",
    "热线400.800.1234",
    "热线四零零八零零一二三四",
    "热线+86 400-800-1234",
    "电话0755 8234 5678",
    "电话+86 755 8234 5678",
    "电话（0755）82345678",
    "电话86-0755-82345678",
    "电话零七五五八二三四五六七八",
    "电话021-66668888",
    "电话010-87654321转8001",
    "手机008613800138000",
    "手机①③⑧00138000",
    "微信13800138000",
    "邮箱ＫｅＦｕ＠example.net",
    "邮箱kefu艾特example点net",
    "邮箱kefu at example dot net",
    "邮箱 kefu @ example . net",
    "mailto:kefu@example.net?subject=a",
    "微信号：SHOP_KEFU",
    "QQ：2345 678 901",
    "企鹅二三四五六七八九零一",
    "卡号六二二二零二一零零零零零零零零零零零九",
    "支付宝：Ｐａｙ＠example.net",
    "来店里：广东省 深圳市 南山区 科技路 88号",
    "地址：广东省，深圳市，南山区，科技路８８号",
    "欢迎来科技路88号",
])  # fmt: skip
def test_what_the_shop_has_registered_passes_in_any_written_form(engine: Engine, text: str) -> None:
    bare = [c for c in found(engine.decide(Message(text, "generic"))) if c.detector != "terms"]
    own = [c for c in found(engine.decide(Message(text, "generic", assets=SHOP))) if c.detector != "terms"]
    assert bare
    assert own == []


@pytest.mark.parametrize("text", [
    "https://example.com.example.org/", "https://example.org/",
    "https://example.com:x@example.org/", "https://example.org\\@example.com/",
    "热线400-800-9999", "电话13800138001", "电话0756-82345678", "电话0755-82345679",
    "邮箱other@example.net", "邮箱xkefu@example.net", "邮箱kefu@example.net.cn",
    "南山区科技路99号", "南山区科技路888号", "南山区科技路8号", "上海市科技路88号", "北京市南山区科技路88号",
    "6222021000000000017", "微信号：shop_kefu2", "微信号：shopkefu", "QQ：23456789012",
])  # fmt: skip
def test_what_is_not_registered_does_not(engine: Engine, text: str) -> None:
    assert found(engine.decide(Message(text, "generic", assets=SHOP)))


def test_a_registered_city_does_not_excuse_its_every_street(engine: Engine) -> None:
    assert found(engine.decide(Message("上海市人民路12号", "generic", assets=Assets(addresses=("上海市",)))))


@pytest.mark.parametrize(("written", "read"), [
    ("八十八", "88"), ("八八", "88"), ("十", "10"), ("一百零三", "103"), ("二百一十", "210"),
])  # fmt: skip
def test_house_numbers_in_han_digits(written: str, read: str) -> None:
    assert bare_address(f"科技路 {written}号") == f"科技路{read}号"
