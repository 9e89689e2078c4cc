from __future__ import annotations

import pytest

from service.engine import Engine
from tests.reading import confirmed


@pytest.mark.parametrize(("text", "expected"), [
    ("支付宝13800138000", ["支付宝13800138000"]),
    ("支付宝账号：pay@example.com", ["支付宝账号：pay@example.com"]),
    ("alipay: shop123", ["alipay: shop123"]),
    ("zfb13800138000", ["zfb13800138000"]),
    ("paypal shop@example.com", ["paypal shop@example.com"]),
    ("支付宝 13800138000", ["支付宝 13800138000"]),
    ("打到0x52908400098527886e0f7030069857d2e4169ee7", ["0x52908400098527886e0f7030069857d2e4169ee7"]),
    ("usdt地址 TXYZabcdefghij1234567890ABCDEFGHIJ", ["TXYZabcdefghij1234567890ABCDEFGHIJ"]),
])  # fmt: skip
def test_found(engine: Engine, text: str, expected: list[str]) -> None:
    assert confirmed(engine, "payments", text) == expected


@pytest.mark.parametrize("text", [
    "支付宝付款",
    "支付宝app",
    "支付宝花呗",
    "支付宝VIP会员",
    "支付宝订单20231111",
    "支付宝转账到银行卡",
    "微信支付宝都可以",
    "0x1234",
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
    "1111111111111111111111111111111111",
])  # fmt: skip
def test_nothing_found(engine: Engine, text: str) -> None:
    assert confirmed(engine, "payments", text) == []
