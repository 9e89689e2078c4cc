"""Street addresses: a road with a house number. Whether it invites, ships or is registered is `verify`'s to weigh."""

from __future__ import annotations

from collections.abc import Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import HAN, any_of, compile_pattern

HAN_DIGITS = "一二三四五六七八九十百"


def compile_detector(words: Words) -> Detector:
    region = any_of(words["regions"])
    road, number = any_of(words["roads"]), any_of(words["numbers"])
    tail = rf"(?:{road}|{any_of(words['places'])})"
    # A number right behind the road: 知道了5号发 is a day. Roads have digit words in their names: 文一路, 三里屯路.
    counted = rf"[东西南北中]?段? ?[a-z]?[0-9{HAN_DIGITS}]{{1,5}}(?:-[0-9]{{1,4}})?{number}"
    pattern = compile_pattern(
        rf"(?:[{HAN}]{{1,9}}{region}[,， ]?){{0,4}}[{HAN}]{{1,15}}{tail}{counted}"
        rf"(?:[{HAN}a-z0-9-]{{0,12}}?[0-9]{{1,4}}(?:{number}|室))?"
    )

    def find(reading: Reading) -> Iterator[Mark]:
        for found in pattern.finditer(reading.noise):
            yield Mark(*found.span(), reading.folded.text[found.start() : found.end()])

    return Detector("addresses", rf"{tail}[东西南北中]?段? ?[a-z]?[0-9{HAN_DIGITS}]", find, words)
