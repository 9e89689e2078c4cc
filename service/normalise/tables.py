"""The character tables, loaded once per snapshot from `lexicons/tables/`. Read-only data for the steps beside this file."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tomli

SYMBOL_BASE = 0xE000
"""First private-use code point that stands for a syllable."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What each step maps; every one a dict for `str.translate` (code point -> replacement)."""

    fold: Mapping[int, str]
    """Width, case, compatibility, traditional to simplified; NUL for the characters of `fold_many`."""
    fold_many: Mapping[str, str]
    """Characters that become nothing (invisible, combining) or several characters."""
    lookalikes: Mapping[int, str]
    """Characters that are mistaken for another at a glance."""
    lookalikes_typed: frozenset[str]
    """The characters that `lookalikes` maps."""
    digits: Mapping[int, str]
    """Digit words to ASCII digits."""
    symbols: Mapping[int, str]
    """Han characters to the symbol of their toneless syllable."""
    syllables: Mapping[str, str]
    """Syllable in Latin letters to the same symbol."""
    split_whole: Mapping[str, str]
    """Parts in a row, such as 亻言, to the character that they make."""
    splits: re.Pattern[str]
    """Any of the rows of parts, longest first."""
    oddities: frozenset[str]
    """All of `lookalikes_typed` and one part of each row of `splits`: asked first, for most texts have none."""


def load_tables(folder: Path) -> Tables:
    """Read `fold.json`, `syllables.json`, `lookalikes.toml`, `digits.toml`, `emoji.toml` and `splits.toml` from `folder`."""
    fold = json.loads((folder / "fold.json").read_text(encoding="utf-8"))
    readings = json.loads((folder / "syllables.json").read_text(encoding="utf-8"))
    hand = {
        name: tomli.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
        for name in ("lookalikes", "digits", "emoji", "splits")
    }
    one = dict(zip(map(ord, fold["from"]), fold["to"], strict=True))
    # Most text has none of the upper half of ASCII's capitals; they still belong to the same table.
    one |= {ord(letter): letter.lower() for letter in string.ascii_uppercase}
    many = {**fold["many"], **hand["emoji"]["words"]}
    # Private-use characters as typed must not pass for syllables; lone surrogates must not reach libraries that encode.
    for code in (*range(SYMBOL_BASE, SYMBOL_BASE + len(readings)), *range(0xD800, 0xE000)):
        one[code] = "\ufffd"
    symbols: dict[int, str] = {}
    syllables: dict[str, str] = {}
    for index, (syllable, characters) in enumerate(readings.items()):
        syllables[syllable] = chr(SYMBOL_BASE + index)
        symbols |= dict.fromkeys(map(ord, characters), syllables[syllable])
    whole = {parts: character for character, rows in hand["splits"]["parts"].items() for parts in rows}
    lookalikes = {a: plain for plain, group in hand["lookalikes"]["groups"].items() for a in group if a != plain}
    return Tables(
        fold={**one, **{ord(character): "\x00" for character in many}},
        fold_many=many,
        lookalikes={ord(typed): plain for typed, plain in lookalikes.items()},
        lookalikes_typed=frozenset(lookalikes),
        digits={ord(a): digit for digit, group in hand["digits"]["words"].items() for a in group},
        symbols=symbols,
        syllables=syllables,
        split_whole=whole,
        splits=re.compile("|".join(map(re.escape, sorted(whole, key=len, reverse=True)))),
        oddities=frozenset(lookalikes) | {parts[0] for parts in whole},
    )
