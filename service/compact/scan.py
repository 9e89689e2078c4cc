"""Many patterns in one text, like an automaton, but read where they lie: there is nothing to build when they are opened.

For each two neighbours in the text one byte says which lengths the patterns have that begin so, mostly none; only those
are looked up. Two pairs may share a byte, so it may say too much, never too little.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from service.compact.rows import Each, pack_rows, read_rows
from service.compact.sections import Sections
from service.compact.table import MISSING, Table, pack_table

SHORT = 8
"""Patterns up to this many characters have a bit for their length; longer ones are looked for by as many characters."""
LONGER = 1 << (SHORT - 1)
BYTES_EACH = 16
"""Of the filter, for a pattern: one pair in sixteen is looked up in vain."""
_UTF32 = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"
_LENGTHS = [tuple(length for length in range(2, SHORT + 1) if bits >> (length - 2) & 1) for bits in range(256)]


class Scan:
    """A set of patterns, as `pack_scan` wrote them."""

    __slots__ = ("_filter", "_longer", "_mask", "_patterns", "_singles", "_starts")

    def __init__(self, name: str, sections: Sections) -> None:
        self._filter = sections[f"{name}.filter"]
        self._mask = len(self._filter) - 1
        self._patterns = Table(sections[f"{name}.patterns"])
        self._starts = Table(sections[f"{name}.starts"])
        self._longer: Each[memoryview] = read_rows(sections[f"{name}.longer"], lambda row: row.cast("H"))
        self._singles: dict[str, int] = msgspec.msgpack.decode(sections[f"{name}.singles"])

    def scan(self, text: str) -> Iterator[tuple[int, int]]:
        """Index of the last character and of the pattern of all matches, in the order of their ends, longest first."""
        found = [] if self._singles.keys().isdisjoint(text) else list(self._find_singles(text))
        table, mask = self._filter, self._mask
        codes = memoryview(text.encode(_UTF32, "surrogatepass")).cast("I")
        for start, (left, right) in enumerate(pairwise(codes)):
            bits = table[(left * 40503 + right * 9973) & mask]
            if bits:
                found += self._find_at(text, start, bits)
        found.sort()
        return ((last, index) for last, _, index in found)

    def _find_at(self, text: str, start: int, bits: int) -> Iterator[tuple[int, int, int]]:
        for length in _LENGTHS[bits]:
            yield from self._find(text, start, length)
        if bits & LONGER and (row := self._starts.find(text[start : start + SHORT])) != MISSING:
            for length in self._longer[row]:
                yield from self._find(text, start, length)

    def _find(self, text: str, start: int, length: int) -> Iterator[tuple[int, int, int]]:
        if start + length <= len(text):
            index = self._patterns.find(text[start : start + length])
            if index != MISSING:
                yield start + length - 1, start, index

    def _find_singles(self, text: str) -> Iterator[tuple[int, int, int]]:
        for place, character in enumerate(text):
            index = self._singles.get(character)
            if index is not None:
                yield place, place, index


def pack_scan(name: str, patterns: Sequence[str]) -> dict[str, bytes]:
    """The sections for `Scan`. `patterns` must be distinct, not empty, and of less than 65,536 characters each."""
    size = 4096
    while size < BYTES_EACH * len(patterns):
        size *= 2
    filtered = bytearray(size)
    longer: dict[str, set[int]] = {}
    for pattern in patterns:
        if len(pattern) > 1:
            left, right = ord(pattern[0]), ord(pattern[1])
            bit = LONGER if len(pattern) > SHORT else 1 << (len(pattern) - 2)
            filtered[(left * 40503 + right * 9973) & (size - 1)] |= bit
        if len(pattern) > SHORT:
            longer.setdefault(pattern[:SHORT], set()).add(len(pattern))
    return {
        f"{name}.filter": bytes(filtered),
        f"{name}.patterns": pack_table({pattern: index for index, pattern in enumerate(patterns) if len(pattern) > 1}),
        f"{name}.starts": pack_table({start: row for row, start in enumerate(longer)}),
        f"{name}.longer": pack_rows(array("H", sorted(lengths)).tobytes() for lengths in longer.values()),
        f"{name}.singles": msgspec.msgpack.encode(
            {pattern: index for index, pattern in enumerate(patterns) if len(pattern) == 1}
        ),
    }
