"""Whether an id next to a payment service's word is an account; registered ones pass."""

from __future__ import annotations

import re

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.own import account_of, own_accounts

APP_VERSION = re.compile(r"^(?:app|v|ver|版本)[0-9]{1,3}$")
"""支付宝app10.2 is about the app."""


def compile_check(_words: Words) -> Check:
    def check(case: Case) -> Outcome:
        account = case.candidate.value
        if account_of(account) in own_accounts(case.message.assets.accounts):
            return Dismissed("own_account", "registered by the shop")
        if account.isalpha() or APP_VERSION.match(account):
            return Dismissed("form", f"{account} reads as a word")
        return Confirmed("form of a payment account")

    return check
