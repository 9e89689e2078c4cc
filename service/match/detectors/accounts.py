"""Messenger accounts: an id next to the word that says whose network it is (微信 abc123, 加Q 12345). Words are data."""

from __future__ import annotations

from collections.abc import Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import GAP, any_of, compile_pattern

# Between the word and the id: 号, 是, colons, blanks, plus signs and the like, but no other text.
LINK = rf"(?:{GAP}|号|码|是|为|我|的|账|帐|id|加|搜|同){{0,6}}"
HANDLE = r"[a-z][a-z0-9_-]{4,24}"
MIXED = r"[a-z0-9_-]{5,24}"
NUMBER = rf"[1-9](?:{GAP}{{0,2}}[0-9]){{4,11}}"


def compile_detector(words: Words) -> Detector:
    wechat, qq, add = any_of(words["wechat"]), any_of(words["qq"]), any_of(words["add"])
    other = any_of(words["other"])
    patterns = {
        "wechat": (compile_pattern(rf"(?:{wechat}){LINK}({HANDLE}|{MIXED}|{NUMBER})"), False),
        "qq": (compile_pattern(rf"(?:{qq}){LINK}({NUMBER})"), True),
        "other": (compile_pattern(rf"(?:{other}){LINK}(@?{HANDLE}|{NUMBER})"), False),
        "add": (compile_pattern(rf"(?:{add}){GAP}{{0,4}}({HANDLE}|{NUMBER})"), False),
        "added": (compile_pattern(rf"({HANDLE}|{NUMBER}){GAP}{{0,4}}{any_of(words['after'])}"), False),
        "handle": (compile_pattern(r"(@[a-z][a-z0-9_]{4,31})"), False),
    }

    def find(reading: Reading) -> Iterator[Mark]:
        folded, digits = reading.noise, reading.digits
        for kind, (pattern, on_digits) in patterns.items():
            text = digits if on_digits else folded
            for found in pattern.finditer(text):
                start, end = found.span()
                first, last = text[start], text[end - 1]
                if joins(text[start - 1 : start], first) or joins(last, text[end : end + 1]):
                    continue
                account = found.group(1)
                value = (
                    account
                    if account[0].isalpha() or account[0] == "@"
                    else "".join(filter(str.isalnum, account))
                )
                yield Mark(start, end, value, kind=kind, evidence=found.group()[: found.start(1) - start])

    return Detector("accounts", rf"[a-z0-9@](?:{GAP}{{0,2}}[a-z0-9_-]){{4}}", find, words)


def joins(left: str, right: str) -> bool:
    """Whether two neighbours are of one Latin word or number."""
    return left.isascii() and right.isascii() and left.isalnum() and right.isalnum()
