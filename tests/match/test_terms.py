from __future__ import annotations

from collections.abc import Sequence

import pytest

from service.lexicon.term import Term
from service.match.terms import compile_matcher
from tests.terms import term


def parts_found(terms: Sequence[Term], text: str) -> list[list[str]]:
    """Each hit as its parts, cut out of `text`."""
    matcher = compile_matcher(terms, range(len(terms)), str.lower, [])
    hits = sorted(matcher.find(text), key=lambda hit: (hit.parts, hit.term))
    return [[text[start:end] for start, end in hit.parts] for hit in hits]


@pytest.mark.parametrize(("text", "expected"), [
    ("加微信", [["加微信"], ["微信"]]),
    ("微信微信", [["微信"], ["微信"]]),
    ("加V", []),
    ("", []),
])  # fmt: skip
def test_terms(text: str, expected: list[list[str]]) -> None:
    assert parts_found([term("微信"), term("加微信")], text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("加微信", [["加", "微信"]]),
    ("加我的微信", [["加", "微信"]]),
    ("加一二三微信", [["加", "微信"]]),          # the gap is three
    ("加一二三四微信", []),
    ("微信加", []),                              # the order counts
    ("加加微信", [["加", "微信"], ["加", "微信"]]),
    ("加微信微信", [["加", "微信"]]),            # the nearest
    ("加一二三四加微信", [["加", "微信"]]),
    ("加", []),
])  # fmt: skip
def test_phrases(text: str, expected: list[list[str]]) -> None:
    assert parts_found([term("加 微信", match="phrase", gap=3)], text) == expected


def test_parts_of_a_phrase_do_not_overlap() -> None:
    assert parts_found([term("ab bc", match="phrase")], "abc") == []
    assert parts_found([term("ab bc", match="phrase")], "abbc") == [["ab", "bc"]]


def test_a_phrase_of_one_part_twice() -> None:
    assert parts_found([term("好 好", match="phrase", gap=0)], "好好") == [["好", "好"]]
    assert parts_found([term("好 好", match="phrase")], "好") == []


def test_a_phrase_goes_on_from_a_later_part_when_the_nearest_leads_nowhere() -> None:
    phrase = term("a b c", match="phrase", gap=3)
    assert parts_found([phrase], "ab1b12c") == [["a", "b", "c"]]
    assert parts_found([phrase], "ab1b123c") == [["a", "b", "c"]]
    assert parts_found([phrase], "ab1b1234c") == []


@pytest.mark.parametrize(("text", "expected"), [
    ("返现好评", [["好评"]]),
    ("好评返现", [["好评"]]),
    ("好评一二返现", [["好评"]]),                # within two
    ("好评一二三返现", []),
    ("返现一二好评", [["好评"]]),
    ("返现一二三好评", []),
    ("好评", []),
])  # fmt: skip
def test_companions(text: str, expected: list[list[str]]) -> None:
    assert parts_found([term("好评", with_=("返现",), within=2)], text) == expected


def test_all_companions_are_needed() -> None:
    needy = term("好评", with_=("返现", "截图"))
    assert parts_found([needy], "好评返现") == []
    assert parts_found([needy], "截图好评返现") == [["好评"]]


def test_phrases_may_have_companions() -> None:
    needy = term("加 微信", match="phrase", with_=("返现",), within=4)
    assert parts_found([needy], "加我微信就返现") == [["加", "微信"]]
    assert parts_found([needy], "加我微信") == []


def test_a_phrase_said_a_thousand_times_is_found_as_often() -> None:
    assert len(parts_found([term("加 微信", match="phrase", gap=2)], "加我微信。" * 1000)) == 1000
