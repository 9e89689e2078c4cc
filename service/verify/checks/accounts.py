"""Whether an id next to a messenger's word is an account: registered ones pass, product and order codes too."""

from __future__ import annotations

import re

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.surroundings import contains_any

PLAIN_WORD = re.compile(r"^[a-z]+$")
"""An id of letters alone could be any word, so the network must be named outright."""
NAMED = re.compile(r"微信|wechat|weixin|[vw]x|telegram|whatsapp|[：:=@]")


def compile_check(words: Words) -> Check:
    not_near = tuple(words["not_account_near"])

    def check(case: Case) -> Outcome:
        account, around = case.candidate.value, case.around
        if account in {own.lower() for own in case.message.assets.accounts}:
            return Dismissed("own_account", "registered by the shop")
        other = contains_any(around.before[-8:] + around.surface, not_near)
        if other:
            return Dismissed("context", f"{other} says that this is no account")
        if PLAIN_WORD.match(account) and not NAMED.search(case.candidate.evidence):
            return Dismissed("form", f"{account} after {case.candidate.evidence} reads as a word")
        return Confirmed(f"{case.candidate.evidence or '@'} names the network")

    return check
