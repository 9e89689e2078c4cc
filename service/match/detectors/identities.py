"""Chinese ID-card numbers: 18 characters with region, birthday and check digit. `verify` checks all three."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import GAP, compile_pattern

SEPARATORS = GAP + "{0,2}"
NOT_CHARACTER = re.compile(r"[^0-9x]")


def compile_detector(words: Words) -> Detector:
    pattern = compile_pattern(rf"[1-8](?:{SEPARATORS}[0-9]){{16}}{SEPARATORS}[0-9x]")

    def find(reading: Reading) -> Iterator[Mark]:
        seen: set[tuple[int, int]] = set()
        # As typed first: in 王五1101… the name's 五 is no digit of the number.
        for text in (reading.noise, reading.digits):
            for found in pattern.finditer(text):
                start, end = found.span()
                whole = not text[max(0, start - 1) : start].isdigit() and not text[end : end + 1].isdigit()
                if whole and (start, end) not in seen:
                    seen.add((start, end))
                    yield Mark(start, end, NOT_CHARACTER.sub("", found.group()).upper())

    return Detector("identities", rf"[1-8](?:{SEPARATORS}[0-9]){{16}}{SEPARATORS}[0-9x]", find, words, view="digits")
