"""Makes `fold.json` and `syllables.json`. Run by hand when Unicode, OpenCC or pypinyin move: python lexicons/tables/build.py

Sources: Unicode character database (as in Python's `unicodedata`), OpenCC's t2s character data (Apache-2.0), pypinyin's
most common reading per character (MIT). Computing the fold takes seconds, so the service ships the result.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import opencc
import pypinyin

HERE = Path(__file__).parent
HAN = [range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0x20000, 0x2A6E0)]

SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True))
BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\u17b4\u17b5"
"""Letters by category that show nothing: Hangul and Khmer fillers."""
KEPT = "…‥"
"""Compatibility forms that honest writers use as punctuation; taking them apart would only cost time."""


def enclosed() -> dict[str, str]:
    """Enclosed letters and digits that NFKC leaves alone, and numbered forms that it turns into `(1)` or `1.`."""
    forms = dict(SMALL_CAPITALS)
    for base in (0x1F150, 0x1F170, 0x1F1E6):  # negative circled, negative squared, regional indicators
        forms |= {chr(base + n): chr(ord("a") + n) for n in range(26)}
    for base in (0x2776, 0x2780, 0x278A, 0x24F5):  # dingbat and double circled 1 to 10
        forms |= {chr(base + n): str(n + 1) for n in range(10)}
    forms |= {chr(0x24EB + n): str(n + 11) for n in range(10)}  # negative circled 11 to 20
    forms |= {chr(0x24FF): "0", chr(0x1F10B): "0", chr(0x1F10C): "0", "🔟": "10"}
    return forms


def fold(character: str, simplified: dict[str, str], extra: dict[str, str]) -> str:
    """One character as the matcher sees it; empty for what is invisible."""
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Cf"} or character in BLANK_LETTERS:
        return ""
    if category == "Zs" or character in "\u2028\u2029\u2800\x85":
        return " "
    if character in KEPT:
        return character
    if character in extra:
        return extra[character]
    plain = unicodedata.normalize("NFKC", character).casefold()
    plain = unicodedata.normalize("NFKC", plain)
    if len(plain) > 1 and plain[0] == "(" and plain[-1] == ")":
        plain = plain[1:-1]
    if len(plain) > 1 and plain[:-1].isdigit() and plain[-1] in ".,":
        plain = plain[:-1]
    if plain and ord(plain[0]) < 0x1100:  # accents on Latin, Greek and Cyrillic; Hangul and kana stay whole
        plain = "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.category(c).startswith("M"))
    return "".join(simplified.get(c, c) for c in plain)


def fold_wholly(character: str, simplified: dict[str, str], extra: dict[str, str]) -> str:
    """Folded until nothing more changes: Ʀ becomes the small capital ʀ, and that r. So a folded text folds to itself."""
    plain, before = fold(character, simplified, extra), character
    while plain != before:
        plain, before = "".join(fold(c, simplified, extra) for c in plain), plain
    return plain


def build_fold() -> dict[str, object]:
    converter = opencc.OpenCC("t2s")
    han = [chr(code) for block in HAN for code in block]
    simplified = dict(zip(han, converter.convert("\n".join(han)).split("\n"), strict=True))
    extra = enclosed()
    one: dict[str, str] = {}
    many: dict[str, str] = {}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if 0xD800 <= code < 0xE000 or unicodedata.category(character) in {"Cn", "Co"}:
            continue
        plain = fold_wholly(character, simplified, extra)
        if len(plain) == 1 and plain != character:
            one[character] = plain
        elif len(plain) != 1:
            many[character] = plain
    # A lone surrogate cannot be encoded for the libraries below; it is shown as the replacement character.
    return {"from": "".join(one), "to": "".join(one.values()), "many": many}


def build_syllables() -> dict[str, str]:
    """Toneless syllable -> the characters read so. Only the most common reading of each counts."""
    syllables: dict[str, list[str]] = {}
    for code in range(0x4E00, 0x9FA6):
        reading = pypinyin.lazy_pinyin(chr(code), style=pypinyin.Style.NORMAL, errors="ignore")
        if reading and reading[0].isalpha() and reading[0].isascii():
            syllables.setdefault(reading[0], []).append(chr(code))
    return {syllable: "".join(characters) for syllable, characters in sorted(syllables.items())}


def main() -> None:
    for name, table in (("fold", build_fold()), ("syllables", build_syllables())):
        text = json.dumps(table, ensure_ascii=False, indent=0 if name == "syllables" else None)
        (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
