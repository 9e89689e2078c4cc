"""International bank account numbers. `verify` checks the country's length and the checksum."""

from __future__ import annotations

from collections.abc import Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import compile_pattern

PATTERN = r"[a-z]{2}[0-9]{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?"


def compile_detector(words: Words) -> Detector:
    pattern = compile_pattern(PATTERN)

    def find(reading: Reading) -> Iterator[Mark]:
        text = reading.folded.text
        for found in pattern.finditer(text):
            start, end = found.span()
            if not text[start - 1 : start].isascii() or not text[start - 1 : start].isalnum():
                yield Mark(start, end, "".join(c for c in found.group() if c.isalnum()).upper())

    return Detector("ibans", r"[a-z]{2}[0-9]{2}[ -]?[a-z0-9]{4}", find, words)
