"""Street addresses: a road with a house number. Whether it invites, ships or is registered is `verify`'s to weigh."""

from __future__ import annotations

from collections.abc import Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import HAN, any_of, compile_pattern


def compile_detector(words: Words) -> Detector:
    region = any_of(words["regions"])
    road, number = any_of(words["roads"]), any_of(words["numbers"])
    tail = rf"(?:{road}|{any_of(words['places'])})"
    pattern = compile_pattern(
        rf"(?:[{HAN}]{{1,9}}{region}[,， ]?){{0,4}}[{HAN}]{{1,7}}{tail}[{HAN}a-z]{{0,8}}?[0-9]{{1,5}}(?:-[0-9]{{1,4}})?{number}"
        rf"(?:[{HAN}a-z0-9-]{{0,12}}?[0-9]{{1,4}}(?:{number}|室))?"
    )

    def find(reading: Reading) -> Iterator[Mark]:
        for found in pattern.finditer(reading.digits):
            yield Mark(*found.span(), reading.folded.text[found.start() : found.end()])

    return Detector("addresses", rf"{tail}[{HAN}a-z]{{0,8}}[0-9]", find, words, view="digits")
