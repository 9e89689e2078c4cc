"""Whether an id next to a payment service's word is an account; registered ones pass."""

from __future__ import annotations

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.own import account_of, own_accounts


def compile_check(_words: Words) -> Check:
    def check(case: Case) -> Outcome:
        account = case.candidate.value
        if account_of(account) in own_accounts(case.message.assets.accounts):
            return Dismissed("own_account", "registered by the shop")
        if account.isalpha():
            return Dismissed("form", f"{account} reads as a word")
        return Confirmed("form of a payment account")

    return check
