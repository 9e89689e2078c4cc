"""Places in a text. Half-open, in code points of the text as sent; UTF-16 offsets are derived at the API edge only."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """`text[start:end]`, with 0 <= start <= end <= len(text)."""

    start: int
    end: int

    def contains(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


def utf16_offset(text: str, index: int) -> int:
    """The UTF-16 offset of code point `index`: what JavaScript's and Java's strings count in."""
    return index + sum(character > "\uffff" for character in text[:index])
