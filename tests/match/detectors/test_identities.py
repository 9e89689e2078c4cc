from __future__ import annotations

import pytest

from service.engine import Engine
from tests.reading import confirmed


@pytest.mark.parametrize(("text", "expected"), [
    ("身份证11010519491231002X", ["11010519491231002X"]),
    ("11010519491231002x", ["11010519491231002x"]),
    ("110105 19491231 002X", ["110105 19491231 002X"]),
    ("110105-1949-1231-002X", ["110105-1949-1231-002X"]),
    ("身份证号：１１０１０５１９４９１２３１００２Ｘ", ["１１０１０５１９４９１２３１００２Ｘ"]),
    ("王五11010519491231002X", ["11010519491231002X"]),
])  # fmt: skip
def test_found(engine: Engine, text: str, expected: list[str]) -> None:
    assert confirmed(engine, "identities", text) == expected


@pytest.mark.parametrize("text", [
    "110105194912310021",
    "订单号11010519491231002X",
    "运单11010519491231002X",
    "123456789012345678",
    "11010519491331002X",
    "911010519491231002X",
])  # fmt: skip
def test_nothing_found(engine: Engine, text: str) -> None:
    assert confirmed(engine, "identities", text) == []
