"""Whether letters and digits are an IBAN: the country's length and the checksum (ISO 13616)."""

from __future__ import annotations

from stdnum import iban

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words


def compile_check(_words: Words) -> Check:
    def check(case: Case) -> Outcome:
        number = case.candidate.value
        if number in {"".join(account.split()).upper() for account in case.message.assets.accounts}:
            return Dismissed("own_account", "registered by the shop")
        if not iban.is_valid(number, check_country=False):
            return Dismissed("checksum", "no valid IBAN")
        return Confirmed(f"IBAN checksum, country {number[:2]}")

    return check
