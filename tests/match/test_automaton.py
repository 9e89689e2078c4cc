from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.match.automaton import Automaton

LETTERS = "abé微信\U0001f427\ud800"
"""One, two, three and four bytes in UTF-8, and half of a character."""


@pytest.mark.parametrize(("patterns", "text", "expected"), [
    (["微信"], "加微信", ["微信"]),
    (["微信", "加微信", "信"], "加微信", ["加微信", "微信", "信"]),       # overlapping and contained
    (["aa"], "aaaa", ["aa", "aa", "aa"]),
    (["傻", "傻逼"], "傻傻逼", ["傻", "傻", "傻逼"]),
    (["a\x00b", "\U0001f427"], "a\x00b\U0001f427", ["a\x00b", "\U0001f427"]),
    (["微信"], "微 信", []),
    (["微信"], "", []),
    ([], "微信", []),
])  # fmt: skip
def test_finds_every_place(patterns: list[str], text: str, expected: list[str]) -> None:
    automaton = Automaton(patterns)
    found = [text[last + 1 - len(patterns[i]) : last + 1] for last, i in automaton.scan(text)]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(("patterns", "problem"), [
    (["微信", "微信"], "there twice"), (["微信", ""], "is empty"),
])  # fmt: skip
def test_refuses_what_can_only_be_a_mistake(patterns: list[str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Automaton(patterns)


@given(st.sets(st.text(LETTERS, min_size=1, max_size=3), max_size=6), st.text(LETTERS, max_size=20))
def test_finds_what_a_search_at_every_place_finds(patterns: set[str], text: str) -> None:
    listed = sorted(patterns)
    found = {(last + 1 - len(listed[i]), listed[i]) for last, i in Automaton(listed).scan(text)}
    assert found == {(at, p) for p in listed for at in range(len(text)) if text.startswith(p, at)}
