from __future__ import annotations

import pytest

from service.engine import Engine
from tests.reading import confirmed


@pytest.mark.parametrize(("text", "expected"), [
    ("IBAN: GB82 WEST 1234 5698 7654 32", ["GB82 WEST 1234 5698 7654 32"]),
    ("GB82WEST12345698765432", ["GB82WEST12345698765432"]),
    ("汇到DE89370400440532013000谢谢", ["DE89370400440532013000"]),
    ("de89 3704 0044 0532 0130 00", ["de89 3704 0044 0532 0130 00"]),
    ("ＧＢ８２ＷＥＳＴ１２３４５６９８７６５４３２", ["ＧＢ８２ＷＥＳＴ１２３４５６９８７６５４３２"]),
])  # fmt: skip
def test_found(engine: Engine, text: str, expected: list[str]) -> None:
    assert confirmed(engine, "ibans", text) == expected


@pytest.mark.parametrize("text", [
    "GB82WEST12345698765431",
    "AB12CDEF3456GHIJ",
    "SKUGB82WEST12345698765432",
    "型号DE89370400440532013001",
    "GB82WEST",
])  # fmt: skip
def test_nothing_found(engine: Engine, text: str) -> None:
    assert confirmed(engine, "ibans", text) == []
