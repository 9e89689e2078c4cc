"""Telephone numbers in digits of any clothes: mobile, fixed line, service and foreign numbers. `verify` weighs the context."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import GAP, compile_pattern

# Anything but letters and digits, at most three, may stand between two digits.
SEPARATORS = GAP + "{0,3}"
MOBILE = rf"(?:(?:\+|00){SEPARATORS}86{SEPARATORS}|86{SEPARATORS})?1{SEPARATORS}[3-9](?:{SEPARATORS}[0-9]){{9}}"
FIXED = rf"(?:\(0[0-9]{{2,3}}\)|0[0-9]{{2,3}}){SEPARATORS}[2-9][0-9]{{2,3}}{SEPARATORS}[0-9]{{4}}"
SERVICE = rf"[48]00{GAP}?[0-9]{{3,4}}{GAP}?[0-9]{{3,4}}"
FOREIGN = rf"\+(?:{SEPARATORS}[0-9]){{8,15}}"

NOT_DIGIT = re.compile(r"[^0-9]")
UNEVEN = re.compile(r"[:/]|\d年|月")
"""Dates and times also consist of digits with something in between."""


def compile_detector(words: Words) -> Detector:
    patterns = {
        "mobile": compile_pattern(MOBILE),
        "foreign": compile_pattern(FOREIGN),
        "fixed": compile_pattern(FIXED),
        "service": compile_pattern(SERVICE),
    }

    def find(reading: Reading) -> Iterator[Mark]:
        text = reading.digits
        taken = bytearray(len(text))
        for kind, pattern in patterns.items():
            for found in pattern.finditer(text):
                start, end = found.span()
                if taken.find(1, start, end) >= 0 or stands_in_number(reading, start, end):
                    continue
                if kind != "mobile" and UNEVEN.search(found.group()):
                    continue
                digits = NOT_DIGIT.sub("", found.group())
                taken[start:end] = b"\1" * (end - start)
                value = digits[-11:] if kind == "mobile" else digits
                yield Mark(start, end, value, kind=kind, evidence=shape(found.group()))

    return Detector("phones", rf"[0-9](?:{SEPARATORS}[0-9]){{8}}", find, words, view="digits")


def stands_in_number(reading: Reading, start: int, end: int) -> bool:
    """Whether the digits go on to the left or right: then it is a piece of a longer number.

    A digit word goes on in digit words only: 张三138… is a name and a number, and so is …8000一直.
    """
    left, right = (reading.noise if reading.noise[edge].isascii() else reading.digits for edge in (start, end - 1))
    before, after = left[max(0, start - 2) : start], right[end : end + 2]
    return bool(
        (before[-1:].isdigit() and left[start].isdigit())
        or after[:1].isdigit()
        or (len(before) == 2 and before[1] in "." and before[0].isdigit())
        or (len(after) == 2 and after[0] == "." and after[1].isdigit())
    )


def shape(number: str) -> str:
    """The separators of a number in order, as the numbers of digits between them: `3-4-4`."""
    return "-".join(str(len(group)) for group in NOT_DIGIT.split(number) if group)
