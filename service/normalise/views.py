"""Text in, views out. The steps, in their order: fold, squeeze, then the looser readings that only some texts need.

    exact      as typed
    folded     one plain form per character; invisible characters gone
    squeezed   folded without anything that is neither letter nor digit
    digits     folded with digit words as digits
    lookalike  squeezed with look-alike characters as what they are taken for
    homophone  squeezed with every syllable, Han or Latin, as one symbol

Spans of every view lie in the text as typed. Nothing here knows a rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.normalise.aligned import AlignedText
from service.normalise.syllables import read_syllables
from service.normalise.tables import Tables

NOISE = re.compile(r"[\W_]+")
"""Same set as `not character.isalnum()`."""


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
        return view
    return view.keep([index for index, c in enumerate(view.text) if c.isalnum()], text)


def read_digits(view: AlignedText, tables: Tables) -> AlignedText:
    """With digit words as ASCII digits, one for one."""
    return view.retext(view.text.translate(tables.digits))


def read_lookalikes(view: AlignedText, tables: Tables) -> AlignedText | None:
    """With look-alikes as what they are taken for; None when there are none."""
    text = view.text.translate(tables.lookalikes)
    return None if text == view.text else view.retext(text)


def read_homophones(view: AlignedText, tables: Tables) -> AlignedText:
    """With every Han character, and every Latin run that spells syllables, as syllable symbols."""
    symbols = view.retext(view.text.translate(tables.symbols))
    return read_syllables(symbols, tables.syllables)
