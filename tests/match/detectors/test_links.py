from __future__ import annotations

import pytest

from service.engine import Engine
from tests.reading import confirmed


@pytest.mark.parametrize(("text", "expected"), [
    ("https://www.example.com/a?b=1看看", ["https://www.example.com/a?b=1"]),
    ("http://example.cn看看", ["http://example.cn"]),
    ("打开example.com/abc", ["example.com/abc"]),
    ("example.com", ["example.com"]),
    ("www.example.cn，发给您", ["www.example.cn"]),
    ("example.com。谢谢", ["example.com"]),
    ("https://example.com)，好", ["https://example.com"]),
    ("(https://example.com/a_(b))", ["https://example.com/a_(b)"]),
    ("ｗｗｗ．ｅｘａｍｐｌｅ．ｃｏｍ", ["ｗｗｗ．ｅｘａｍｐｌｅ．ｃｏｍ"]),
    ("https:／／example．com", ["https:／／example．com"]),
    ("WWW.EXAMPLE.COM", ["WWW.EXAMPLE.COM"]),
    ("hxxp://example.com", ["hxxp://example.com"]),
    ("ftp://example.org/x", ["ftp://example.org/x"]),
    ("//example.com/x", ["//example.com/x"]),
    ("weixin://dl/business/?t=abc", ["weixin://dl/business/?t=abc"]),
    ("example点com", ["example点com"]),
    ("example小数点com", ["example小数点com"]),
    ("example。com", ["example。com"]),
    ("example dot com", ["example dot com"]),
    ("example . com", ["example . com"]),
    ("exam\u200bple.com", ["exam\u200bple.com"]),
    ("官网：例子.公司", ["例子.公司"]),
    ("例子.com", ["例子.com"]),
    ("https://例子.com/", ["https://例子.com/"]),
    ("xn--fsqu00a.com", ["xn--fsqu00a.com"]),
    ("访问192.168.1.10:8080", ["192.168.1.10:8080"]),
    ("浏览器输入10.0.0.1", ["10.0.0.1"]),
    ("复制￥AbC123dEf45￥打开", ["￥AbC123dEf45￥"]),
    ("复制这条信息，$kLm9Qw3Er7T$", ["$kLm9Qw3Er7T$"]),
    ("(aB3dE5gH7j)", ["(aB3dE5gH7j)"]),
    ("复制【a1b2c3d4e5】打开", ["【a1b2c3d4e5】"]),
    ("a https://example.com b http://example.org c", ["https://example.com", "http://example.org"]),
])  # fmt: skip
def test_found(engine: Engine, text: str, expected: list[str]) -> None:
    assert confirmed(engine, "links", text) == expected


@pytest.mark.parametrize("text", [
    "优惠码(SAVE2023)",
    "批次[20231111A]",
    "版本1.2.3",
    "v2.0.1",
    "固件10.0.0.1",
    "图片.jpg",
    "说明书.pdf",
    "IMG_001.jpg",
    "config.py",
    "readme.md",
    "1.5kg",
    "2.5cm",
    "3.14",
    "12.12",
    "99.9元",
    "12.5-12.8",
    "好的.谢谢",
    "ok.thanks",
    "nike.air",
    "e.g.",
    "您好.公司规定7天",
    "您好.网络3天恢复",
    "https://abc",
    "￥199￥",
    "(12345678)",
    "(ABCDEFGH)",
    "￥12345678￥",
    "10:30",
    "",
])  # fmt: skip
def test_nothing_found(engine: Engine, text: str) -> None:
    assert confirmed(engine, "links", text) == []
