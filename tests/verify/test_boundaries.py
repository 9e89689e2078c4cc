from __future__ import annotations

import pytest

from service.engine import Engine
from service.text.message import Message
from service.text.span import Span
from service.verify.boundaries import clause_around, crossing_word, joins_han, latin_neighbour
from tests.reading import found, slices


@pytest.mark.parametrize("text", [
    "您可以稍微信任一下我们",
    "Smoking is not allowed",
    "SMALL码有货",
    "路口交通管制，会晚到",
    "这可真是个大麻烦",
    "去死皮膏怎么用",
    "印刷单已经放在箱子里",
    "按说明操作就可以",
    "他妈妈也买了一件",
    "滚筒洗衣机可以用",
    "垃圾袋送一卷",
    "狗年限定款",
    "银行卡套在赠品里",
    "清仓贱卖",
    "最高仿真度的模型",
    "高仿真花不掉色",
    "参加微信支付立减",
    "增加微波炉加热说明",
])  # fmt: skip
def test_a_piece_of_another_word_is_no_hit(engine: Engine, text: str) -> None:
    assert found(engine.decide(Message(text, "generic"))) == []


@pytest.mark.parametrize(("text", "expected"), [
    ("a弹药b", ["弹药"]),
    ("加我微信发您", ["加我微信"]),
    ("高仿货也有", ["高仿"]),
    ("1高仿1", ["高仿"]),
    ("高仿", ["高仿"]),
    ("「高仿」", ["高仿"]),
    ("他妈的", ["他妈的"]),
    ("卖大麻", ["大麻"]),
])  # fmt: skip
def test_a_word_is_a_hit_whatever_stands_beside_it(engine: Engine, text: str, expected: list[str]) -> None:
    assert set(expected) <= set(slices(text, found(engine.decide(Message(text, "generic")))))


@pytest.mark.parametrize(("text", "part", "word"), [
    ("加微信吧", "微信", ""),
    ("稍微信任您", "微信", "稍微"),
    ("smoking", "sm", "smoking"),
    ("xsm", "sm", "xsm"),
    ("sm号", "sm", ""),
    ("1sm2", "sm", ""),
    ("12345", "234", "12345"),
    ("微 信", "微 信", ""),
    ("稍微，信任", "信任", ""),
])  # fmt: skip
def test_the_crossing_word_is_named(engine: Engine, text: str, part: str, word: str) -> None:
    start = text.index(part)
    assert crossing_word(text, Span(start, start + len(part)), engine.verifier.words, {}) == word


@pytest.mark.parametrize(("text", "outside", "edge", "step", "expected"), [
    ("abc", 0, 1, -1, "a"), ("abc", 2, 1, 1, "c"), ("abc", -1, 0, -1, ""), ("abc", 3, 2, 1, ""),
    ("1b", 0, 1, -1, ""), ("微b", 0, 1, -1, ""), ("a1", 0, 1, -1, ""), ("11", 0, 1, -1, "1"),
])  # fmt: skip
def test_latin_neighbours(text: str, outside: int, edge: int, step: int, expected: str) -> None:
    assert latin_neighbour(text, outside, edge, step) == expected


def test_han_letters_join_only_each_other() -> None:
    assert [joins_han("微信a1，", edge) for edge in range(6)] == [False, True, False, False, False, False]


def test_a_clause_ends_at_punctuation_and_after_twelve_characters() -> None:
    text = "你好，加微信吧。好" + "的" * 40
    place = text.index("微信")
    assert text[slice(*clause_around(text, Span(place, place + 2)))] == "加微信吧"
    place = len(text) - 10
    assert clause_around(text, Span(place, place + 1)) == (place - 12, len(text))
