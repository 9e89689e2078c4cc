"""Messenger accounts: an id next to the word that says whose network it is (微信 abc123, 加Q 12345). Words are data.

A *name* says it outright (微信, QQ, 企鹅). A *mark* is a short stand-in (v, 徽, 口) that counts only where something is being
added: +v abc123, 27447053加口.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from service.match.detector import Detector, Mark, Reading, Words
from service.match.pattern import GAP, HAN, any_of, compile_pattern, compile_probe

# Between the word and the id: 号, 是, colons, blanks, plus signs and the like, but no other text.
LINK = rf"(?:{GAP}|号|码|是|为|我|的|账|帐|id|加|搜|同|看|聊|说|吧){{0,6}}"
HANDLE = r"[a-z][a-z0-9_-]{4,24}"
MIXED = r"[0-9][0-9_-]{0,11}[a-z][a-z0-9_-]{3,20}"
ODD = rf"[^0-9a-z\n{HAN}]"
"""Also letters of scripts that nobody here reads: 48ˉ5749907, 10517Ψ41735."""
NUMBER = rf"[1-9](?:{ODD}{{0,2}}[0-9]){{4,11}}"
GROUPS = r"[1-9][0-9]{3,5} {1,2}[0-9]{4,6}"
# Without a name nearby a number must be long and written in one piece, in a few groups, or evenly spread.
LONG = r"[1-9][0-9]{6,11}|[1-9][0-9]{1,5}(?:[ .~-]{1,3}[0-9]{2,6}){1,3}|[1-9](?:[ .-][0-9]){6,11}|[1-9](?:\x01{1,2}[0-9]){6,11}"
STUFFED = r"[a-z0-9](?:\x01{1,2}[a-z0-9_-]){4,24}"
"""An id with emoji between its characters."""
SPELT = r"[a-z](?:[ .-]{1,2}[a-z0-9]){4,24}|[a-z](?:[ .-]{1,2}[a-z0-9]){2,8} ?[0-9]{3,8}"
"""An id spelt out: a b c 8 8 6 6."""
CODE = r"[a-z]{1,12}[_-]?[0-9][a-z0-9_-]{2,20}"
SHORT_CODE = r"[a-z]{3,16}[0-9]{1,8}"
WORDS = rf"(?:{GAP}|[{HAN}]){{0,8}}?"
"""What is offered, between a number and the call to add it: 2396 8433 资源+口."""
ENDS = rf"(?:$|{GAP}|[^{HAN}]|看|来|爽)"
"""A mark is no stand-in where a word goes on: 加微 of 加微波炉."""

SEPARATORS = {ord(sign): None for sign in "\x01 ."}
"""What stands between the characters of an id and is no part of it."""

SHORTEST = {"add": 6, "other": 7, "loose": 5, "apart": 8}
"""Digits that a number must have where nothing names its network."""

BARE = {"handle", "plus", "loose"}
"""Kinds whose hit is the first group alone."""


def compile_detector(words: Words) -> Detector:
    wechat, qq, other = (spaced_any_of(words[name]) for name in ("wechat", "qq", "other"))
    wechat = f"(?:{wechat}|{any_sound(words['wechat_sounds'])})"
    qq = f"(?:{qq}|{'|'.join(map(any_sound, words['qq_sounds']))})"
    add, mark, group = spaced_any_of(words["add"]), any_of(words["marks"]), spaced_any_of(words["groups"])
    loose, plus = any_of(words["loose"]), any_of(words["plus"])
    patterns = [
        ("wechat", False, rf"{wechat}{LINK}({NUMBER}|{HANDLE}|{MIXED}|{STUFFED}|{SPELT})"),
        ("qq", True, rf"{qq}{LINK}({NUMBER})"),
        ("other", False, rf"{other}{LINK}({LONG}|@?{HANDLE}|@?\x01{{0,2}}{STUFFED})"),
        ("add", False, rf"{add}{GAP}{{0,3}}{mark}{LINK}({NUMBER}|{HANDLE}|{MIXED}|{STUFFED}|{SPELT})"),
        ("add", False, rf"{add}(?:{GAP}|我){{0,4}}({LONG}|{CODE})"),
        ("add", True, rf"({LONG}|{CODE})(?:{GAP}|看|的|我){{0,4}}{add}{GAP}{{0,4}}(?:{mark}|{qq}|{wechat})"),
        ("add", True, rf"({LONG})(?:{ODD}|看){{0,4}}(?:{any_of(words['after'])}|{qq}|{wechat})"),
        ("add", False, rf"({CODE}){GAP}{{0,4}}{wechat}"),
        ("loose", True, rf"({LONG}){WORDS}{plus}{GAP}{{0,4}}(?:{mark}{ENDS}|{qq}|{wechat})"),
        (
            "loose",
            True,
            rf"{loose}{GAP}{{0,3}}([1-9][0-9]{{7,11}}|[1-9][0-9]{{1,5}}(?:[ .~-]{{1,3}}[0-9]{{2,6}}){{1,3}})",
        ),
        ("loose", True, rf"(?:联系|练系|私聊)[{HAN}]{{1,3}}{GAP}{{0,3}}([1-9][0-9]{{7,10}})"),
        ("loose", True, rf"({LONG}){GAP}{{0,3}}[{HAN}]{{0,4}}(?:口口|扣扣|口扣)"),
        ("loose", True, rf"({GROUPS}){GAP}{{0,2}}[{HAN}]{{1,4}}[口扣](?:$|{GAP})"),
        ("loose", True, rf"([1-9][0-9]{{7,10}}|{GROUPS}){GAP}{{0,3}}(?:加|\+看|家看|加看)(?:$|{ODD})"),
        ("loose", True, rf"({GROUPS}){GAP}{{0,2}}(?:\+|加){mark}"),
        ("loose", True, rf"扣{GAP}{{0,2}}([1-9][0-9]{{3,5}}[1-9])(?:$|{GAP})"),
        ("apart", True, rf"([1-9][0-9]{{3,5}}{GAP}{{0,3}}(?:{qq}|{wechat}){GAP}{{0,3}}[0-9]{{4,6}})"),
        ("add", False, rf"({SHORT_CODE}){GAP}{{1,4}}{wechat}(?:$|{GAP})"),
        (
            "plus",
            False,
            rf"(?:^|[^0-9a-z])((?:\+|┼){GAP}{{0,3}}[vwq](?:x|号)?)(?:$|{GAP}|[^a-z0-9领型字脸口弹版萌类级])",
        ),
        ("plus", False, rf"(?:^|[^0-9a-z])((?:\+|┼){GAP}{{0,3}}{mark})(?:$|[^{HAN}]|看|来|爽)"),
        ("plus", False, rf"(?:^|{GAP}|[{HAN}])((?:\+|┼){GAP}{{1,3}}{mark})"),
        ("plus", False, rf"((?:\+|┼){GAP}{{0,3}}{any_of(words['plus_names'])})(?:$|{GAP})"),
        ("group", True, rf"{group}{LINK}([1-9][0-9]{{4,13}})"),
        ("group", True, rf"{group}{LINK}({NUMBER})"),
        ("handle", False, rf"(@\x01{{1,2}}{STUFFED})(?:$|[^a-z0-9])"),
        ("handle", False, r"(@[a-z][a-z0-9_]{4,31})(?:[^.a-z0-9_]|\.[^a-z0-9]|\.?$)"),
    ]
    compiled = [(kind, on_digits, compile_pattern(pattern)) for kind, on_digits, pattern in patterns]
    probes = {
        wanted: compile_probe(pattern for _, on_digits, pattern in patterns if on_digits == wanted)
        for wanted in (True, False)
    }

    def find(reading: Reading) -> Iterator[Mark]:
        texts = {True: reading.digits, False: reading.noise}
        wanted = {on_digits for on_digits, text in texts.items() if probes[on_digits].search(text)}
        for kind, on_digits, pattern in compiled:
            if on_digits not in wanted:
                continue
            text = texts[on_digits]
            for found in pattern.finditer(text):
                start, end = found.span(1 if kind in BARE else 0)
                inner, last = found.span(1)
                # 8521888.comQQ:2757545617: what comes before is no part of the word.
                if (
                    (joins(text, start) and not text.startswith("qq", start))
                    or joins(text, end)
                    or glued(text, start, inner)
                ):
                    continue
                account = text[inner:last]
                if account[0].isdigit() and sum(map(str.isdigit, account)) < SHORTEST.get(kind, 5):
                    continue
                value = (
                    account.translate(SEPARATORS)
                    if account[0].isalpha() or account[0] in "@+┼"
                    else keep_alphanumeric(account)
                )
                evidence = text[start:inner] if inner > start else text[last:end]
                yield Mark(start, end, value, kind=kind, evidence=evidence)

    trigger = rf"[a-z0-9@](?:{GAP}{{0,2}}[a-z0-9_-]){{4}}|(?:\+|┼){GAP}{{0,3}}(?:{mark}|{any_of(words['plus_names'])})"
    return Detector("accounts", trigger, find, words)


def spaced_any_of(words: Iterable[str]) -> str:
    """A group that matches any of `words`, also with up to two signs between their characters, and with Han characters
    repeated: 企-鹅, v❤x, 微微信信.
    """
    longest_first = sorted(words, key=len, reverse=True)
    return "(?:" + "|".join(rf"{GAP}{{0,2}}".join(map(repeatable, word)) for word in longest_first) + ")"


def repeatable(character: str) -> str:
    """The pattern of one character of a word."""
    return re.escape(character) if character.isascii() else f"{re.escape(character)}{{1,3}}"


def any_sound(rows: Iterable[str]) -> str:
    """A group for a word by its sound: one character of each row, signs in between."""
    return rf"{GAP}{{0,2}}".join(f"[{row}]" for row in rows)


def joins(text: str, edge: int) -> bool:
    """Whether one Latin word or number goes on across `edge`."""
    left, right = text[edge - 1 : edge], text[edge : edge + 1]
    return left.isascii() and right.isascii() and left.isalnum() and right.isalnum()


def glued(text: str, start: int, inner: int) -> bool:
    """Whether a one-letter word and the letters of the id are one Latin word: VM-20480 is no V and M-20480."""
    return inner == start + 1 and text[start].isascii() and text[start].isalpha() and text[inner].isalpha()


def keep_alphanumeric(account: str) -> str:
    return "".join(filter(str.isalnum, account))
