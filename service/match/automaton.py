"""Many patterns in one pass. The only file that knows the library (pyahocorasick), so that it can be replaced.

The library looks through a node's children one by one, and a lexicon's root has some thousand of them, one a Han
character. So patterns and texts are given to it as their UTF-8 bytes, one character a byte: no node has more than 256
children, and a scan takes less than half the time. UTF-8 is self-synchronising, so a match never begins or ends inside
a character.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import ahocorasick

Hit = tuple[int, int]
"""Index of a match's last character, index of its pattern."""


class Scans(Protocol):
    """What finds many patterns in one pass."""

    def scan(self, text: str) -> Iterator[Hit]:
        """All matches in `text`, overlapping ones included, in the order of their ends."""


class Automaton:
    """A set of patterns, compiled."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """`patterns` must be distinct and not empty."""
        self._automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        for index, pattern in enumerate(patterns):
            if not pattern:
                raise ValueError(f"pattern {index} is empty: it would match everywhere")
            if not self._automaton.add_word(as_bytes(pattern), index):
                raise ValueError(f"pattern {index}, {pattern!r}, is there twice")
        self._empty = not patterns
        if not self._empty:
            self._automaton.make_automaton()

    def scan(self, text: str) -> Iterator[Hit]:
        """All matches in `text`, overlapping ones included, in the order of their ends."""
        # The library raises on an automaton without patterns.
        if self._empty:
            return
        data = text.encode("utf-8", "surrogatepass")
        index, done = -1, 0
        for last, pattern in self._automaton.iter(data.decode("latin-1")):
            # Matches end with a character, so the bytes since the last one decode to whole characters.
            index += len(data[done : last + 1].decode("utf-8", "surrogatepass"))
            done = last + 1
            yield index, pattern


def as_bytes(text: str) -> str:
    """The UTF-8 bytes of `text`, each as one character."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")
