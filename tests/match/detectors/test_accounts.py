from __future__ import annotations

import pytest

from service.engine import Engine
from tests.reading import confirmed


@pytest.mark.parametrize(("text", "expected"), [
    ("微信abc12345", ["微信abc12345"]),
    ("加微信：abc_123456", ["微信：abc_123456"]),
    ("vx:abc12345", ["vx:abc12345"]),
    ("VX abc12345", ["VX abc12345"]),
    ("ＶＸ abc12345", ["ＶＸ abc12345"]),
    ("卫星号abc12345", ["卫星号abc12345"]),
    ("🛰abc12345", ["🛰abc12345"]),
    ("薇信shop123", ["薇信shop123"]),
    ("wx号 shop-one-1", ["wx号 shop-one-1"]),
    ("加v abc12345", ["加v abc12345"]),
    ("+V abc12345", ["+V abc12345"]),
    ("微微信信abc8866", ["微微信信abc8866"]),
    ("微信号 a b c 8 8 6 6", ["微信号 a b c 8 8 6 6"]),
    ("微信号：a.b.c.8.8.6.6", ["微信号：a.b.c.8.8.6.6"]),
    ("加v a b c 8866", ["加v a b c 8866"]),
    ("QQ12345678", ["QQ12345678"]),
    ("扣扣：1234567", ["扣扣：1234567"]),
    ("企鹅号 12345678", ["企鹅号 12345678"]),
    ("🐧12345678", ["🐧12345678"]),
    ("企-鹅12345678", ["企-鹅12345678"]),
    ("1 2 3 4 5 6 7 8 扣扣", ["1 2 3 4 5 6 7 8 扣扣"]),
    ("QQ一二三四五六七", ["QQ一二三四五六七"]),
    ("telegram：shopone", ["telegram：shopone"]),
    ("tg:shopone", ["tg:shopone"]),
    ("skype id shopone1", ["skype id shopone1"]),
    ("群号123456789", ["群号123456789"]),
    ("12345678加我", ["12345678加我"]),
    ("加我abc12345", ["加我abc12345"]),
    ("加我:138001380", ["加我:138001380"]),
    ("12345678加口", ["12345678加口"]),
    ("关注@shop_one_1", ["@shop_one_1"]),
])  # fmt: skip
def test_found(engine: Engine, text: str, expected: list[str]) -> None:
    assert confirmed(engine, "accounts", text) == expected


@pytest.mark.parametrize("text", [
    "型号V12345",
    "进口20240101批次的奶粉",
    "您找20231111001这个订单吗",
    "入口：12345678",
    "大鹅20231111",
    "首页搜XR2023就能看到",
    "店铺搜“k20231111”",
    "单号V20231111",
    "VM-20480",
    "尺码XXL",
    "微信支付",
    "微信客服在线",
    "加微信客服",
    "微信6.0版本",
    "QQ音乐",
    "qq糖3包",
    "电报机",
    "加1件12345",
    "加购12345678",
    "加购物车abc12345",
    "订单12345678加急",
    "version12345",
    "wifi密码abc12345",
    "iphone加128G",
    "Q235钢板",
    "加2件更优惠",
    "加油12345",
    "@小王",
    "@全体成员",
    "v我50",
    "",
])  # fmt: skip
def test_nothing_found(engine: Engine, text: str) -> None:
    assert confirmed(engine, "accounts", text) == []
