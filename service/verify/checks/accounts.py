"""Whether an id next to a messenger's word is an account: registered ones pass, product and order codes too."""

from __future__ import annotations

import re

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.own import is_own_account
from service.verify.surroundings import contains_any, ends_with_any

PLAIN_WORD = re.compile(r"^[a-z]+$")
"""An id of letters alone could be any word, so the network must be named outright."""
NAMED = re.compile(r"微信|wechat|weixin|[vw]x|telegram|whatsapp|[：:=@]")

UNNAMED = {"add", "loose"}
"""Kinds of hits in which nothing says outright whose network it is."""
DATE = re.compile(r"^20[0-4][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{0,6}$")


def compile_check(words: Words) -> Check:
    not_near, not_marks = tuple(words["not_account_near"]), tuple(words["not_marks"])

    def check(case: Case) -> Outcome:
        account, around = case.candidate.value, case.around
        if is_own_account(account, case.message.assets):
            return Dismissed("own_account", "registered by the shop")
        if case.candidate.kind in UNNAMED:
            word = ends_with_any(around.before, not_marks)
            if word:
                return Dismissed("context", f"{word} is a word of its own and names no network")
            if DATE.match(account):
                return Dismissed("form", f"{account} begins with a date")
        if case.candidate.evidence.startswith("搜") and account[0].isalpha() and not NAMED.search(around.near):
            return Dismissed("context", f"{account} may be a product to search for")
        other = contains_any(around.before[-8:] + around.surface, not_near)
        if other:
            return Dismissed("context", f"{other} says that this is no account")
        if PLAIN_WORD.match(account) and not NAMED.search(case.candidate.evidence):
            return Dismissed("form", f"{account} after {case.candidate.evidence} reads as a word")
        return Confirmed(f"{case.candidate.evidence or '@'} names the network")

    return check
