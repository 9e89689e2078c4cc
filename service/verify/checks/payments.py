"""Whether an id next to a payment service's word is an account; registered ones pass."""

from __future__ import annotations

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words


def compile_check(_words: Words) -> Check:
    def check(case: Case) -> Outcome:
        account = case.candidate.value
        if bare(account) in map(bare, case.message.assets.accounts):
            return Dismissed("own_account", "registered by the shop")
        if account.isalpha():
            return Dismissed("form", f"{account} reads as a word")
        return Confirmed("form of a payment account")

    return check


def bare(account: str) -> str:
    """Without what only groups its characters."""
    return account.lower().replace(" ", "").replace("-", "")
