"""Numbers beside odd marks, and plus signs that stand for adding."""

from __future__ import annotations

import pytest

from service.engine import Engine
from tests.reading import confirmed


@pytest.mark.parametrize(("text", "expected"), [
    ("2396 8433 图册+口", ["2396 8433", "+口"]),
    ("想看的+v", ["+v"]),
    ("日结＋Ｗ。", ["＋Ｗ"]),
    ("套图+企鹅", ["+企鹅"]),
    ("QQ1051Ψ41735", ["QQ1051Ψ41735"]),
    ("1255 QQ 4971", ["1255 QQ 4971"]),
    ("味信 tea_lily88", ["味信 tea_lily88"]),
    ("扣扣聊吧，3322114455", ["扣扣聊吧，3322114455"]),
])  # fmt: skip
def test_found(engine: Engine, text: str, expected: list[str]) -> None:
    assert confirmed(engine, "accounts", text) == expected


@pytest.mark.parametrize("text", [
    "套餐A+V领T恤一起拍",
    "维生素C+维生素E",
    "牛奶+威化饼干",
    "有200+口味可以选",
    "销量100000+，放心",
    "扣12345积分抵12元",
    "已经放在小区门口12345",
    "收货人加1件 12345",
])  # fmt: skip
def test_honest_plus_signs_and_numbers_pass(engine: Engine, text: str) -> None:
    assert confirmed(engine, "accounts", text) == []
