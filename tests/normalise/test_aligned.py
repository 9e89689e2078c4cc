from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.normalise.aligned import AlignedText
from service.text.span import Span, utf16_offset


@st.composite
def pieces(draw: st.DrawFn, length: int) -> list[tuple[str, int, int]]:
    """An expansion of a text of `length`: slices in order, each standing for any characters, some dropped."""
    edges = sorted(draw(st.sets(st.integers(0, length), max_size=8)))
    return [(draw(st.text(max_size=3)), start, end) for start, end in pairwise(edges)]


@st.composite
def chains(draw: st.DrawFn) -> tuple[str, AlignedText]:
    """A text and what a few steps of any kind make of it."""
    text = draw(st.text(max_size=20))
    view = AlignedText(text)
    for step in draw(st.lists(st.sampled_from(["expand", "keep", "retext"]), max_size=4)):
        if step == "expand":
            view = view.expand(draw(pieces(len(view.text))))
        elif step == "keep":
            kept = sorted(draw(st.sets(st.integers(0, max(0, len(view.text) - 1))))) if view.text else []
            view = view.keep(kept, "".join(view.text[i] for i in kept))
        else:
            view = view.retext("x" * len(view.text))
    return text, view


@given(chains())
def test_every_character_stands_for_a_non_empty_slice_in_order(chain: tuple[str, AlignedText]) -> None:
    text, view = chain
    spans = [view.span(index, index + 1) for index in range(len(view.text))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
    assert [end for _, end in spans] == sorted(end for _, end in spans)


@given(chains(), st.data())
def test_a_slice_covers_the_slices_of_its_characters(chain: tuple[str, AlignedText], data: st.DataObject) -> None:
    _, view = chain
    if not view.text:
        return
    start = data.draw(st.integers(0, len(view.text) - 1))
    end = data.draw(st.integers(start + 1, len(view.text)))
    whole = view.span(start, end)
    assert all(whole.contains(view.span(index, index + 1)) for index in range(start, end))
    assert whole == Span(view.span(start, start + 1).start, view.span(end - 1, end).end)


@given(st.text(min_size=1))
def test_without_offsets_the_places_are_the_characters_own(text: str) -> None:
    assert AlignedText(text).span(0, len(text)) == Span(0, len(text))


@given(st.text(), st.data())
def test_kept_characters_slice_themselves(text: str, data: st.DataObject) -> None:
    kept = sorted(data.draw(st.sets(st.sampled_from(range(len(text)))))) if text else []
    view = AlignedText(text).keep(kept, "".join(text[i] for i in kept))
    assert "".join(text[slice(*view.span(i, i + 1))] for i in range(len(view.text))) == view.text


def test_retext_keeps_the_length() -> None:
    with pytest.raises(ValueError, match="retext keeps the length"):
        AlignedText("微信").retext("weixin")


def test_expand_leaves_out_what_stands_for_nothing() -> None:
    view = AlignedText("ab\u200bc").expand([("xy", 0, 2), ("", 2, 3), ("z", 3, 4)])
    assert (view.text, view.span(0, 1), view.span(2, 3)) == ("xyz", Span(0, 2), Span(3, 4))


@given(st.text(), st.data())
def test_utf16_offsets_count_what_utf16_encodes(text: str, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(text)))
    assert utf16_offset(text, index) == len(text[:index].encode("utf-16-le", "surrogatepass")) // 2


@given(st.tuples(st.integers(0, 9), st.integers(0, 9)), st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_a_span_that_contains_another_overlaps_it(one: tuple[int, int], two: tuple[int, int]) -> None:
    a, b = Span(*sorted(one)), Span(*sorted(two))
    assert a.overlaps(b) == b.overlaps(a) == bool(set(range(*a)) & set(range(*b)) or _around_empty(a, b))
    assert a.contains(b) == (a.start <= b.start and b.end <= a.end)


def _around_empty(a: Span, b: Span) -> bool:
    """Whether one is empty and lies strictly within the other."""
    return (a.start == a.end and b.start < a.start < b.end) or (b.start == b.end and a.start < b.start < a.end)
