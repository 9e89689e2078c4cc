"""Whether anything can complete where one message ends and the next begins. Most honest messages are told apart here, at once.

A term that is cut in two has the characters on either side of the cut next to each other; so do a number and a Latin word.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from service.compact.sections import Sections
from service.match.propose import Proposer
from service.normalise.tables import Tables

SCRAPS = 12
"""Letters and digits of two messages that may say a thing in whole words, 加我 / 微信, and little else."""
SCRAPS_WITH_NUMBER = 28
"""The same where a word is followed by an id or a number: 加微 / 12345678."""


@dataclass(frozen=True, slots=True)
class Bridges:
    """The neighbours in the patterns of all terms."""

    tables: Tables
    pairs: Container[str] = field(repr=False)
    """Two characters each, as the squeezed view has them."""
    sounds: Container[str] = field(repr=False)
    """Two syllable symbols each, of the terms that may be disguised by sound."""
    pieces: frozenset[str] = field(repr=False)
    """The pieces of characters that were taken apart."""

    def may_cross(self, before: str, text: str) -> bool:
        """False where nothing can lie across the end of `before` and the start of `text`."""
        left, right = self._edge(reversed(before)), self._edge(iter(text))
        if not left or not right:
            return False
        if self._meet(left[0], right[-1]) or left in self.pieces or right in self.pieces:
            return True
        scraps = SCRAPS_WITH_NUMBER if left.isascii() or right.isascii() else SCRAPS
        return len(before) + len(text) <= scraps * 4 and sum(map(str.isalnum, before + text)) <= scraps

    def _edge(self, characters: Iterator[str]) -> str:
        """The first letter or digit, folded; several where one character folds to more."""
        tables = self.tables
        for character in characters:
            folded = tables.fold_many.get(character) or character.translate(tables.fold)
            if folded.isalnum():
                return folded
        return ""

    def _meet(self, left: str, right: str) -> bool:
        tables = self.tables
        if left.isascii() or right.isascii():
            # Pinyin may stand for any character; a digit goes on only in a digit, or in a term as it is written.
            if left.isalpha() and right.isalpha():
                return True
            return left + right in self.pairs or (left + right).translate(tables.digits).isascii()
        both = left + right
        if both in self.pairs or both.translate(tables.lookalikes) in self.pairs:
            return True
        return both.translate(tables.symbols) in self.sounds or both.translate(tables.digits).isascii()


class Either:
    """What is in one of two sets, without a copy of either."""

    __slots__ = ("first", "second")

    def __init__(self, first: Container[str], second: Container[str]) -> None:
        self.first = first
        self.second = second

    def __contains__(self, pair: object) -> bool:
        return pair in self.first or pair in self.second


def compile_bridges(proposer: Proposer) -> Bridges:
    """The bridges of all the terms that `proposer` knows."""
    tables = proposer.tables
    pairs, sounds = collect_pairs(proposer, range(len(proposer.terms)))
    return Bridges(tables=tables, pairs=pairs, sounds=sounds, pieces=frozenset("".join(tables.split_whole)))


def layer_bridges(shared: Bridges, proposer: Proposer, own: Iterable[int]) -> Bridges:
    """`shared` with those of the terms at the indices `own` of `proposer`; the shared ones are not copied."""
    pairs, sounds = collect_pairs(proposer, own)
    return replace(shared, pairs=Either(shared.pairs, pairs), sounds=Either(shared.sounds, sounds))


class Pairs:
    """Two characters each, as `pack_pairs` sorted them."""

    __slots__ = ("_codes",)

    def __init__(self, section: memoryview) -> None:
        self._codes = section.cast("Q")

    def __contains__(self, pair: object) -> bool:
        if not isinstance(pair, str) or len(pair) != 2:
            return False
        code = code_of(pair)
        place = bisect_left(self._codes, code)
        return place < len(self._codes) and self._codes[place] == code


def pack_bridges(proposer: Proposer, own: Iterable[int]) -> dict[str, bytes]:
    """The sections of the bridges of the terms at the indices `own` of `proposer`."""
    pairs, sounds = collect_pairs(proposer, own)
    return {"pairs": pack_pairs(pairs), "sound_pairs": pack_pairs(sounds)}


def open_bridges(shared: Bridges, sections: Sections) -> Bridges:
    """`shared` with what `pack_bridges` wrote."""
    return replace(
        shared,
        pairs=Either(shared.pairs, Pairs(sections["pairs"])),
        sounds=Either(shared.sounds, Pairs(sections["sound_pairs"])),
    )


def pack_pairs(pairs: Iterable[str]) -> bytes:
    return array("Q", sorted(map(code_of, pairs))).tobytes()


def code_of(pair: str) -> int:
    return ord(pair[0]) << 32 | ord(pair[1])


def collect_pairs(proposer: Proposer, chosen: Iterable[int]) -> tuple[frozenset[str], frozenset[str]]:
    """The neighbours in the patterns of the chosen terms, as the squeezed view has them and as syllable symbols."""
    parts: list[str] = []
    by_sound: list[str] = []
    for number in chosen:
        parts += proposer.spelled[number]
        if "homophone" in proposer.terms[number].disguises:
            by_sound += [part.translate(proposer.tables.symbols) for part in proposer.spelled[number]]
    return neighbours(parts), neighbours(by_sound)


def neighbours(texts: Iterable[str]) -> frozenset[str]:
    """Every two characters that stand next to each other."""
    return frozenset(left + right for text in texts for left, right in pairwise(text))
