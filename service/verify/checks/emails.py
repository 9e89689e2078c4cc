"""Whose an e-mail address is: registered ones of the shop pass."""

from __future__ import annotations

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.own import own_emails


def compile_check(words: Words) -> Check:
    at = tuple(words["at"])

    def check(case: Case) -> Outcome:
        own = own_emails((*case.message.assets.emails, *case.message.assets.accounts), at)
        if case.candidate.value.partition("?")[0] in own:
            return Dismissed("own_account", "registered by the shop")
        return Confirmed("form of an e-mail address")

    return check
