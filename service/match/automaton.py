"""Many patterns in one pass. The only file that knows the library (pyahocorasick), so that it can be replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import ahocorasick

Scan = Callable[[str], Iterable[tuple[int, int]]]
"""Text -> (index of the match's last character, index of the pattern), overlapping matches included."""


def compile_automaton(patterns: Sequence[str]) -> Scan:
    """Build a scanner for `patterns`, which must be distinct and not empty."""
    automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
    for index, pattern in enumerate(patterns):
        if not pattern:
            raise ValueError(f"pattern {index} is empty: it would match everywhere")
        if not automaton.add_word(pattern, index):
            raise ValueError(f"pattern {index}, {pattern!r}, is there twice")
    if not patterns:
        return _scan_nothing
    automaton.make_automaton()
    scan: Scan = automaton.iter
    return scan


def _scan_nothing(_text: str) -> Iterator[tuple[int, int]]:
    """The library raises on an automaton without patterns."""
    return iter(())
