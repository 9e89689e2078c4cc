from __future__ import annotations

import pytest

from service.engine import Engine
from tests.reading import confirmed


@pytest.mark.parametrize(("text", "expected"), [
    ("邮箱kefu@example.com", ["kefu@example.com"]),
    ("发到 shop @ example.com 吧", ["shop @ example.com"]),
    ("kefu(at)example.com", ["kefu(at)example.com"]),
    ("kefu艾特example点com", ["kefu艾特example点com"]),
    ("KeFu@Example.COM。谢谢", ["KeFu@Example.COM"]),
    ("a.b+c@mail.example.com.cn", ["a.b+c@mail.example.com.cn"]),
    ("kefu#@#example.com", ["kefu#@#example.com"]),
    ("ｋｅｆｕ＠ｅｘａｍｐｌｅ．ｃｏｍ", ["ｋｅｆｕ＠ｅｘａｍｐｌｅ．ｃｏｍ"]),
    ("12345678@qq.com", ["12345678@qq.com"]),
    ("kefu @ example。com", ["kefu @ example。com"]),
    ("发送到kefu@example.com就行", ["kefu@example.com"]),
])  # fmt: skip
def test_found(engine: Engine, text: str, expected: list[str]) -> None:
    assert confirmed(engine, "emails", text) == expected


@pytest.mark.parametrize("text", [
    "发@我",
    "@小王 在吗",
    "5@3.2",
    "价格@99",
    "kefu@example",
    "100g@2件",
    "",
])  # fmt: skip
def test_nothing_found(engine: Engine, text: str) -> None:
    assert confirmed(engine, "emails", text) == []
