"""Text in, views out. The steps, in their order: fold, squeeze, then the looser readings that only some texts need.

    exact      as typed
    folded     one plain form per character; invisible characters gone
    squeezed   folded without anything that is neither letter nor digit
    lookalike  squeezed with look-alike characters as what they are taken for
    split      squeezed with characters that were taken apart put together
    repeated   squeezed with every run of one character as a single one
    homophone  squeezed with every syllable, Han or Latin, as one symbol

`folded` is aligned to the text as typed, all the others to `folded`, where the surroundings of a hit are looked at.
Nothing here knows a rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import eq

from service.normalise.aligned import AlignedText
from service.normalise.syllables import read_syllables
from service.normalise.tables import Tables

NOISE = re.compile(r"[\W_]+")
"""Same set as `not character.isalnum()`."""
REPEATED = re.compile(r"([^\W\d_])\1+")
"""Digits repeat in honest numbers and are left alone."""


@dataclass(frozen=True, slots=True)
class Views:
    """The readings of one text."""

    exact: str
    folded: AlignedText
    squeezed: AlignedText


def make_views(text: str, tables: Tables) -> Views:
    """The views that every text gets; the others are made from them on demand."""
    folded = fold(text, tables)
    return Views(text, folded, squeeze(folded))


def fold(text: str, tables: Tables) -> AlignedText:
    """Width, case, compatibility forms, traditional to simplified, invisible and combining marks."""
    if tables.fold_many.keys().isdisjoint(text):
        return AlignedText(text.translate(tables.fold))
    many, one = tables.fold_many, tables.fold
    pieces = [(many[c] if c in many else one.get(ord(c), c), i, i + 1) for i, c in enumerate(text)]
    return AlignedText(text).expand(pieces)


def squeeze(view: AlignedText) -> AlignedText:
    """Without separators, punctuation and emoji between the characters."""
    text = NOISE.sub("", view.text)
    if len(text) == len(view.text):
        return AlignedText(text)
    return AlignedText(view.text).keep([index for index, c in enumerate(view.text) if c.isalnum()], text)


def read_lookalikes(view: AlignedText, tables: Tables) -> AlignedText | None:
    """With look-alikes as what they are taken for; None when there are none."""
    if tables.lookalikes_typed.isdisjoint(view.text):
        return None
    return view.retext(view.text.translate(tables.lookalikes))


def read_splits(view: AlignedText, tables: Tables) -> AlignedText | None:
    """With characters that were taken apart (亻言) put together; None when there are none."""
    if tables.split_parts.isdisjoint(view.text):
        return None
    return _replace(view, tables.splits, lambda found: tables.split_whole[found])


def read_repeats(view: AlignedText) -> AlignedText | None:
    """With runs of one character as a single one; None when there are none."""
    if not any(map(eq, view.text, view.text[1:])):
        return None
    return _replace(view, REPEATED, lambda found: found[0])


def _replace(view: AlignedText, pattern: re.Pattern[str], whole: Callable[[str], str]) -> AlignedText | None:
    """With each match of `pattern` as the characters that `whole` gives for it; None without a match."""
    pieces: list[tuple[str, int, int]] = []
    done = 0
    for found in pattern.finditer(view.text):
        pieces += [(view.text[i], i, i + 1) for i in range(done, found.start())]
        pieces.append((whole(found.group()), *found.span()))
        done = found.end()
    if not pieces:
        return None
    pieces += [(view.text[i], i, i + 1) for i in range(done, len(view.text))]
    return view.expand(pieces)


def read_homophones(view: AlignedText, tables: Tables) -> AlignedText:
    """With every Han character, and every Latin run that spells syllables, as syllable symbols."""
    symbols = view.retext(view.text.translate(tables.symbols))
    return read_syllables(symbols, tables.syllables)
