"""Whether 18 characters are an ID-card number: region, birthday and check digit (GB 11643)."""

from __future__ import annotations

from stdnum.cn import ric

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.surroundings import ends_with_any


def compile_check(words: Words) -> Check:
    before = tuple(words["not_identity_before"])

    def check(case: Case) -> Outcome:
        number = case.candidate.value
        other = ends_with_any(case.around.before, before)
        if other:
            return Dismissed("context", f"{other} says that this is another number")
        if not ric.is_valid(number):
            return Dismissed("checksum", "region, birthday or check digit is wrong")
        return Confirmed("region, birthday and check digit")

    return check
