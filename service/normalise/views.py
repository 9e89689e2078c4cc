"""Text in, views out. The steps, in their order: fold, squeeze, then the looser readings that only some texts need.

    exact      as typed
    folded     one plain form per character; invisible characters gone
    squeezed   folded without anything that is neither letter nor digit
    lookalike  squeezed with look-alike characters as what they are taken for (a plain translation)
    split      squeezed with characters that were taken apart put together
    repeated   squeezed with every run of one character as a single one
    homophone  squeezed with every syllable, Han or Latin, as one symbol

`folded` is aligned to the text as typed, all the others to `folded`, where the surroundings of a hit are looked at.
Nothing here knows a rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property

import msgspec

from service.normalise.aligned import AlignedText
from service.normalise.syllables import read_syllables
from service.normalise.tables import Tables

NOISE = re.compile(r"[\W_]+")
"""Same set as `not character.isalnum()`."""
NOT_ONE = "\x00"
"""What the fold table gives for a character that becomes none or several: a mark to look again."""
REPEATED = re.compile(r"([^\W\d_])\1+")
"""Digits repeat in honest numbers and are left alone."""
RUNS = re.compile(r"([^\W\d_])\1*|.", re.DOTALL)
"""Every run of a letter, and every other character by itself."""


class Views(msgspec.Struct, frozen=True, dict=True):
    """The readings of one text that most need; the others are made from them where a text asks for them."""

    exact: str
    folded: AlignedText
    plain: str
    """The squeezed text without its offsets, which only a text with hits needs."""

    @cached_property
    def squeezed(self) -> AlignedText:
        return squeeze(self.folded)


def make_views(text: str, tables: Tables) -> Views:
    """The views of `text`."""
    folded = fold(text, tables)
    return Views(text, folded, NOISE.sub("", folded.text))


def fold(text: str, tables: Tables) -> AlignedText:
    """Width, case, compatibility forms, traditional to simplified, invisible and combining marks."""
    folded = text.translate(tables.fold)
    if NOT_ONE not in folded:
        return AlignedText(folded)
    many, one = tables.fold_many, tables.fold
    pieces = [(many[c] if c in many else one.get(ord(c), c), i, i + 1) for i, c in enumerate(text)]
    return AlignedText(text).expand(pieces)


def squeeze(view: AlignedText) -> AlignedText:
    """Without separators, punctuation and emoji between the characters."""
    text = NOISE.sub("", view.text)
    if len(text) == len(view.text):
        return AlignedText(text)
    return AlignedText(view.text).keep([index for index, c in enumerate(view.text) if c.isalnum()], text)


def read_splits(view: AlignedText, tables: Tables) -> AlignedText:
    """With characters that were taken apart (亻言) put together."""
    return _replace(view, tables.splits, lambda found: tables.split_whole[found])


def read_repeats(view: AlignedText) -> AlignedText:
    """With runs of one letter as a single one, which stands for the whole run."""
    runs = [found.span() for found in RUNS.finditer(view.text)]
    places = [view.span(start, end) for start, end in runs]
    text = "".join([view.text[start] for start, _ in runs])
    return AlignedText(text, [place.start for place in places], [place.end for place in places])


def collapse_repeats(text: str) -> str:
    """The text of `read_repeats`, without its offsets."""
    return REPEATED.sub(r"\1", text)


def _replace(view: AlignedText, pattern: re.Pattern[str], whole: Callable[[str], str]) -> AlignedText:
    """With each match of `pattern` as the characters that `whole` gives for it."""
    pieces: list[tuple[str, int, int]] = []
    done = 0
    for found in pattern.finditer(view.text):
        pieces += [(view.text[i], i, i + 1) for i in range(done, found.start())]
        pieces.append((whole(found.group()), *found.span()))
        done = found.end()
    pieces += [(view.text[i], i, i + 1) for i in range(done, len(view.text))]
    return view.expand(pieces)


def read_homophones(view: AlignedText, tables: Tables) -> AlignedText:
    """With every Han character, and every Latin run that spells syllables, as syllable symbols."""
    symbols = view.retext(view.text.translate(tables.symbols))
    return read_syllables(symbols, tables.syllables)
