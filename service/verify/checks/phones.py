"""Whether digits of a telephone number's form are one: prefix, grouping, and the words on either side."""

from __future__ import annotations

import re

import phonenumbers

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.own import is_own_phone, own_numbers
from service.verify.surroundings import contains_any, ends_with_any, starts_with_any

USUAL_SHAPES = {
    "11",
    "3-4-4",
    "3-8",
    "7-4",
    "3-3-5",
    "4-4-3",
    "4-3-4",
    "3-2-2-2-2",
    "3-4-2-2",
    "1-2-4-4",
    "5-6",
    "6-5",
    "3-3-3-2",
    "2-3-3-3",
}
MOBILE_PREFIXES = re.compile(r"1(?:3[0-9]|4[014-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])")
"""Segments that the ministry has assigned to mobile networks."""


LATIN_WORD = re.compile("[a-z]+")


def compile_check(words: Words) -> Check:
    before = tuple(words["not_phone_before"])
    after = tuple(words["not_phone_after"])
    near = tuple(words["phone_near"])
    third_person = tuple(words["third_person"])

    def check(case: Case) -> Outcome:
        number, around = case.candidate.value, case.around
        assets = case.message.assets
        if is_own_phone(number, own_numbers(assets.phones, assets.accounts)):
            return Dismissed("own_account", "registered by the shop")
        speaks_for = first_word(around.before[-8:], near) or first_word(around.after[:8], near)
        other = ends_with_any(around.before, before) or starts_with_any(around.after, after)
        if other and not (speaks_for and speaks_for not in other):
            return Dismissed("context", f"{other} says that this is another number")
        kind = case.candidate.kind
        if kind == "mobile":
            outcome = check_mobile(number, case.candidate.evidence, speaks_for)
            third = contains_any(around.before[-10:], third_person)
            if third and isinstance(outcome, Confirmed):
                return Confirmed(f"{outcome.by}, of somebody else: {third}", "medium")
            return outcome
        if kind == "foreign":
            return check_foreign(number, speaks_for)
        if kind == "fixed" and not speaks_for and case.candidate.evidence == str(len(number)):
            return Dismissed("context", "digits of a fixed line's form, but nothing says that it is one")
        return Confirmed(f"form of a telephone number{' near ' + speaks_for if speaks_for else ''}")

    return check


def first_word(text: str, words: tuple[str, ...]) -> str:
    """Which of `words` is in `text`; a Latin one only as a word of its own, as the v of JDVA is none. Empty for none."""
    return next((w for w in words if (w in LATIN_WORD.findall(text) if w.isascii() else w in text)), "")


def check_mobile(number: str, shape: str, speaks_for: str) -> Outcome:
    """`shape`: how many digits stood together, `3-4-4`."""
    if not MOBILE_PREFIXES.match(number):
        return Dismissed("prefix", f"{number[:3]} is no mobile prefix")
    groups = shape.split("-")
    even = shape.removeprefix("2-") in USUAL_SHAPES or all(len(g) == 1 and int(g) <= 3 for g in groups)
    if not even and not speaks_for and len(groups) > 3:
        return Dismissed("form", f"groups of {shape} are no way to write a mobile number")
    return Confirmed(f"mobile prefix {number[:3]}")


def check_foreign(number: str, speaks_for: str) -> Outcome:
    try:
        valid = phonenumbers.is_valid_number(phonenumbers.parse("+" + number))
    except phonenumbers.NumberParseException:
        valid = False
    if not valid:
        return Dismissed("form", f"+{number} is no number of any country")
    return Confirmed(f"number of another country{' near ' + speaks_for if speaks_for else ''}")
