from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.match.pattern import GAP, any_of, compile_pattern, show_noise


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "(", "[", "a**"])
def test_what_re2_does_not_accept_is_a_value_error(pattern: str) -> None:
    with pytest.raises(ValueError, match="RE2 refuses the pattern"):
        compile_pattern(pattern)


def test_a_pattern_that_backtracks_elsewhere_is_linear_here() -> None:
    assert compile_pattern("(a+)+$").search("a" * 50_000 + "b") is None


def test_any_of_prefers_the_longest_and_quotes() -> None:
    pattern = compile_pattern(any_of(["a", "a.b", "a+"]))
    assert [found.group() for found in pattern.finditer("a.b a+ axb")] == ["a.b", "a+", "a"]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_noise_is_shown_one_for_one(text: str) -> None:
    shown = show_noise(text)
    assert len(shown) == len(text)
    assert all(
        a == b or (b == "\x01" and not (a.isascii() or re.match(r"\w", a))) for a, b in zip(text, shown, strict=True)
    )


@pytest.mark.parametrize(("character", "gap"), [
    (" ", True), ("-", True), (".", True), ("\x01", True), ("_", True), ("\n", False), ("a", False), ("0", False), ("微", False),
])  # fmt: skip
def test_a_gap_is_neither_letter_nor_digit_nor_line_break(character: str, gap: bool) -> None:
    assert bool(compile_pattern(f"^{GAP}$").search(character)) == gap
