"""Whether a hit stands on word boundaries: 微信 in 加我微信, but not in 稍微信任; SM, but not in Smoking."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence

from service.text.span import Span
from service.verify.words import Words

BREAK = re.compile(r"[^\w]|[\n]")
REACH = 12
"""Characters of the clause that are cut on either side of a hit; dictionary words are shorter."""

Cuts = MutableMapping[str, list[tuple[int, int]]]
"""Clause -> its words: a message repeats its clauses, and each is cut once."""


def crossing_word(text: str, part: Span, words: Words, cuts: Cuts, *, loose: bool = False) -> str:
    """The word of folded `text` over an edge of `part`; empty when none is.

    `loose`, for a phrase's parts, which may be stems (账 of 账号): only a word that ends inside the part speaks against it.
    """
    start, end = part
    left = latin_neighbour(text, start - 1, start, -1)
    right = latin_neighbour(text, end, end - 1, 1)
    if left or right:
        return f"{left}{text[start:end]}{right}"
    if not (joins_han(text, start) or joins_han(text, end)):
        return ""
    first, last = clause_around(text, part)
    clause = text[first:last]
    spans = cuts.get(clause)
    if spans is None:
        spans = cuts[clause] = words.spans(clause)
    return crossing(clause, spans, Span(start - first, end - first), words, loose)


def crossing(clause: str, spans: Sequence[tuple[int, int]], part: Span, words: Words, loose: bool) -> str:
    """The first of the clause's words over an edge of `part`.

    A word of the lexicon that holds the whole part is no other reading: 微信号 for 微信. Nor is one that the dictionary
    itself does not have, such as a phrase's part 微信转: it was only made a word for its own term's sake.
    """
    for start, end in spans:
        holds = start <= part.start and part.end <= end
        if start < part.start < end or start < part.end < end:
            word = clause[start:end]
            harmless = (
                not words.is_ordinary(word)
                or (holds and words.is_own(word))
                or (loose and (holds or start >= part.start))
            )
            if not harmless:
                return word
    return ""


def latin_neighbour(text: str, outside: int, edge: int, step: int) -> str:
    """The Latin letters (or digits) that go on beyond the edge of a hit that ends in one of the same kind."""
    if not 0 <= outside < len(text) or not text[edge].isascii():
        return ""
    same = str.isalpha if text[edge].isalpha() else str.isdigit
    stop = outside
    while 0 <= stop < len(text) and text[stop].isascii() and same(text[stop]) and abs(stop - outside) < REACH:
        stop += step
    return text[outside:stop] if step > 0 else text[stop + 1 : outside + 1]


def joins_han(text: str, edge: int) -> bool:
    """Whether two Han (or other non-Latin) letters meet at `edge`, so that a word may lie across it."""
    return 0 < edge < len(text) and is_letter(text[edge - 1]) and is_letter(text[edge])


def is_letter(character: str) -> bool:
    return character.isalpha() and not character.isascii()


def clause_around(text: str, part: Span) -> tuple[int, int]:
    """The stretch without blanks and punctuation around `part`, at most 12 characters on either side."""
    first, last = max(0, part.start - REACH), min(len(text), part.end + REACH)
    breaks = [found.end() for found in BREAK.finditer(text, first, part.start)]
    stop = BREAK.search(text, part.end, last)
    return breaks[-1] if breaks else first, stop.start() if stop else last
