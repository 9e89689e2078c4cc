"""Texts in which nothing was found, remembered: agents send the same canned replies all day.

In: what a search of the text depends on. Out: whether the same search found nothing before. Texts with candidates are
never kept, for what becomes of those depends on more than the text.
"""

from __future__ import annotations

from datetime import date

from service.vocabulary import Platform

KEPT = 8_192
"""Texts of one generation; two are kept, a few megabytes in all."""
LONGEST = 200
"""Code points of the longest text that is kept; canned replies are short."""

Key = tuple[str, Platform, date]
"""Terms are in force on platforms and days."""


class Harmless:
    """Two generations of keys: when the young one is full it becomes the old one, and the old one is forgotten."""

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: set[Key] = set()
        self._old: set[Key] = set()

    def __contains__(self, key: Key) -> bool:
        if key in self._young:
            return True
        if key in self._old:
            self.add(key)
            return True
        return False

    def forget(self) -> None:
        """Nothing is remembered, as after the start."""
        self._young, self._old = set(), set()

    def add(self, key: Key) -> None:
        """Remembers that nothing was found."""
        if len(key[0]) > LONGEST:
            return
        if len(self._young) >= KEPT:
            self._young, self._old = set(), self._young
        self._young.add(key)
