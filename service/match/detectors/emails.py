"""E-mail addresses, also with blanks or words around the at sign. Whose they are is `verify`'s to say."""

from __future__ import annotations

from collections.abc import Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import any_of, compile_pattern


def compile_detector(words: Words) -> Detector:
    at, tlds = any_of(words["at"]), any_of(words["tlds"])
    pattern = compile_pattern(
        rf"[a-z0-9][a-z0-9._%+-]{{0,63}}\s?{at}\s?(?:[a-z0-9-]{{1,63}}\s?(?:\.|点|。)\s?){{1,4}}(?:{tlds}|[a-z]{{2,24}})"
    )

    def find(reading: Reading) -> Iterator[Mark]:
        for found in pattern.finditer(reading.folded.text):
            yield Mark(*found.span(), "".join(found.group().split()))

    return Detector("emails", rf"[a-z0-9]\s?{at}\s?[a-z0-9]", find, words)
