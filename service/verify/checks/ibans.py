"""Whether letters and digits are an IBAN: the country's length and the checksum (ISO 13616)."""

from __future__ import annotations

from stdnum import iban

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.own import account_of, own_accounts


def compile_check(_words: Words) -> Check:
    def check(case: Case) -> Outcome:
        number = case.candidate.value
        if account_of(number) in own_accounts(case.message.assets.accounts):
            return Dismissed("own_account", "registered by the shop")
        if not iban.is_valid(number, check_country=False):
            return Dismissed("checksum", "no valid IBAN")
        return Confirmed(f"IBAN checksum, country {number[:2]}")

    return check
