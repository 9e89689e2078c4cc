"""Whether a long number is a bank card or account. The check digit alone proves nothing: a tenth of all order numbers pass it."""

from __future__ import annotations

from stdnum import luhn

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.own import own_accounts
from service.verify.surroundings import contains_any, ends_with_any, starts_with_any


def compile_check(words: Words) -> Check:
    bins, strong = tuple(words["bins"]), tuple(words["strong_bins"])
    near, before, after = (
        tuple(words["card_near"]),
        tuple(words["not_card_before"]),
        tuple(words["not_card_after"]),
    )

    def check(case: Case) -> Outcome:
        number, around = case.candidate.value, case.around
        if number in own_accounts(case.message.assets.accounts):
            return Dismissed("own_account", "registered by the shop")
        speaks_for = contains_any(around.before[-12:] + around.after[:8], near)
        other = ends_with_any(around.before, before) or starts_with_any(around.after, after)
        if other and not (speaks_for and speaks_for not in other):
            return Dismissed("context", f"{other} says that this is another number")
        if not luhn.is_valid(number):
            if speaks_for in {"卡号", "银行卡", "户名", "开户", "账号", "对公", "储蓄卡"} and len(number) >= 12:
                return Confirmed(f"{speaks_for} nearby, though the check digit is wrong")
            return Dismissed("checksum", "the check digit is wrong, and nothing says that it is an account")
        if len(number) >= 16 and number.startswith(strong):
            return Confirmed(f"Luhn and BIN {number[:6]}")
        if len(number) >= 15 and number.startswith(bins) and speaks_for:
            return Confirmed(f"Luhn and BIN {number[:6]}, with {speaks_for} nearby")
        if speaks_for in {"卡号", "银行卡", "户名", "开户", "账号", "对公"}:
            return Confirmed(f"{speaks_for} nearby")
        return Dismissed("bin", f"{number[:6]} is no card's prefix, and nothing says that it is an account")

    return check
