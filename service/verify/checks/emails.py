"""Whose an e-mail address is: registered ones of the shop pass."""

from __future__ import annotations

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words


def compile_check(_words: Words) -> Check:
    def check(case: Case) -> Outcome:
        own = (*case.message.assets.emails, *case.message.assets.accounts)
        if case.candidate.value in {address.lower() for address in own}:
            return Dismissed("own_account", "registered by the shop")
        return Confirmed("form of an e-mail address")

    return check
