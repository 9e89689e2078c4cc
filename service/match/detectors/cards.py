"""Bank cards and accounts: 12 to 19 digits, in groups or not. `verify` weighs checksum, BIN and context."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import GAP, compile_pattern

SEPARATORS = GAP + "{0,3}"
NOT_DIGIT = re.compile(r"[^0-9]")


def compile_detector(words: Words) -> Detector:
    run = compile_pattern(rf"[0-9](?:{SEPARATORS}[0-9]){{11,31}}")

    def find(reading: Reading) -> Iterator[Mark]:
        seen: set[tuple[int, int]] = set()
        # As typed first: in 户名张三 6222… the name's 三 is no digit of the card.
        for text in (reading.noise, reading.digits):
            for found in run.finditer(text):
                start, end = found.span()
                if text[max(0, start - 1) : start].isdigit() or text[end : end + 1].isdigit():
                    continue
                digits = NOT_DIGIT.sub("", found.group())
                if 12 <= len(digits) <= 19 and (start, end) not in seen:
                    seen.add((start, end))
                    yield Mark(start, end, digits, evidence=text[max(0, start - 12) : start])

    return Detector("cards", rf"[0-9](?:{SEPARATORS}[0-9]){{11}}", find, words, view="digits")
