"""E-mail addresses, also with blanks or words around the at sign. Whose they are is `verify`'s to say."""

from __future__ import annotations

from collections.abc import Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import HAN, any_of, compile_pattern

SPOKEN_AT = " at "


def compile_detector(words: Words) -> Detector:
    at, tlds = any_of(word for word in words["at"] if word != SPOKEN_AT), any_of(words["tlds"])
    name, labels = r"[a-z0-9][a-z0-9._%+-]{0,63}", r"[a-z0-9-]{1,63}"
    # 找我 at home.com is no address: where the sign is a word, so is the dot.
    pattern = compile_pattern(
        rf"(?:mailto:)?{name}\s?{at}\s?(?:{labels}\s?(?:\.|点|。)\s?){{1,4}}(?:{tlds}|[a-z]{{2,24}})"
        rf"|{name}{SPOKEN_AT}{labels}(?: dot | ?点 ?){tlds}"
        rf"|mailto:[^\s@]+@[^\s@{HAN}]+"
    )

    def find(reading: Reading) -> Iterator[Mark]:
        for found in pattern.finditer(reading.folded.text):
            yield Mark(*found.span(), "".join(found.group().split()).removeprefix("mailto:"))

    return Detector("emails", rf"[a-z0-9]\s?(?:{at}|{SPOKEN_AT})\s?[a-z0-9]", find, words)
