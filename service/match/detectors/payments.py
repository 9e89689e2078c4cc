"""Payment accounts: Alipay and PayPal accounts next to their word, and cryptocurrency addresses."""

from __future__ import annotations

from collections.abc import Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import GAP, any_of, compile_pattern

LINK = rf"(?:{GAP}|号|是|为|我|的|账|帐|户){{0,6}}"
ACCOUNT = r"[a-z0-9][a-z0-9._%+-]{2,40}@[a-z0-9.-]+\.[a-z]{2,12}|1[3-9][0-9]{9}|[a-z][a-z0-9_-]{4,24}"
COINS = r"0x[0-9a-f]{40}|t[a-z0-9]{33}|bc1[a-z0-9]{25,60}|[13][a-z0-9]{25,34}"


def compile_detector(words: Words) -> Detector:
    handle = compile_pattern(rf"{any_of(words['names'])}{LINK}({ACCOUNT})")
    coin = compile_pattern(rf"(?:^|[^a-z0-9])({COINS})(?:$|[^a-z0-9])")

    def find(reading: Reading) -> Iterator[Mark]:
        text = reading.noise
        for found in handle.finditer(text):
            yield Mark(*found.span(), found.group(1), kind="handle")
        for found in coin.finditer(text):
            value = found.group(1)
            if any(c.isdigit() for c in value) and any(c.isalpha() for c in value):
                yield Mark(found.start(1), found.end(1), value, kind="coin")

    return Detector("payments", r"[a-z0-9][a-z0-9._%+-]{4}", find, words)
