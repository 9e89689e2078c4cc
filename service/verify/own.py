"""What a shop has registered, in the plain form in which it can be compared. In: assets as the shop wrote them.

The same asset is written in many ways; what is compared here is what stays the same in all of them. Never more than that:
one digit, one label of a host or one character of a name differs, and it is somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from unicodedata import normalize

from service.text.message import Assets

NOT_DIGIT = re.compile(r"[^0-9]")
EXTENSION = re.compile(r"\s*(?:转|分机|ext\.?|#)\s*[0-9]{1,6}\s*$")
LABEL = re.compile(
    r"^(?:[^\x00-\x7f]+[\s:]*|(?:wechat|weixin|vx|wx|qq|alipay|zfb|paypal|telegram|tg|whatsapp|iban)[\s:]+|qq(?=[0-9]))+"
)
"""What names the network before an account: QQ：12345678, 工商银行 6222…"""
GROUPING = re.compile(r"[\s-]")
SCHEME = re.compile(r"^[a-z0-9.+-]*\s?:?\s?/\s?/\s?")
WILDCARD = re.compile(r"^(?:\*?\.|www\.)")
HOST_END = re.compile(r"[/\\?#\s]")
LONGEST_AT = 6
"""Characters of a spelled-out at sign with blanks on either side."""
LOCAL_LENGTHS = (7, 8)
"""Digits of a fixed line without its area code."""


def plain(text: str) -> str:
    """Width, case and compatibility forms undone, as the folded text of a message has them."""
    return normalize("NFKC", text).strip().lower()


# Phones


def national(number: str) -> str:
    """The digits that everybody dials: no country code, no trunk zero, no extension."""
    digits = NOT_DIGIT.sub("", EXTENSION.sub("", plain(number))).removeprefix("00")
    if len(digits) > 11:
        digits = digits.removeprefix("86")
    return digits.removeprefix("0")


@lru_cache(maxsize=256)
def own_numbers(phones: tuple[str, ...], accounts: tuple[str, ...]) -> frozenset[str]:
    """Registered telephone numbers; an account that consists of digits is one too (支付宝 139…)."""
    return frozenset(filter(None, map(national, (*phones, *own_accounts(accounts)))))


def is_own_phone(number: str, own: frozenset[str]) -> bool:
    """Whether `number` is one of `own`, which may stand there without its area code."""
    seen = national(number)
    if seen in own:
        return True
    is_fixed = number.startswith("0") and len(seen) >= 10
    return is_fixed and any(seen[-length:] in own for length in LOCAL_LENGTHS)


# Accounts


def account_of(text: str) -> str:
    """An account without what names its network; one of digits also without what only groups them."""
    bare = LABEL.sub("", plain(text)).lstrip("@")
    digits = GROUPING.sub("", bare).removeprefix("+")
    return digits if digits.isdigit() else "".join(bare.split())


@lru_cache(maxsize=256)
def own_accounts(accounts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(filter(None, map(account_of, accounts)))


def is_own_account(account: str, assets: Assets) -> bool:
    """Whether `account` is registered, as an account or as a telephone number: many accounts are one."""
    seen = account_of(account)
    if seen in own_accounts(assets.accounts):
        return True
    return seen.isdigit() and is_own_phone(seen, own_numbers(assets.phones, assets.accounts))


# E-mail addresses


@lru_cache(maxsize=256)
def own_emails(emails: tuple[str, ...], at: tuple[str, ...]) -> frozenset[str]:
    """Registered e-mail addresses in every way to write them; `at`: words for the at sign."""
    signs = sorted({"@", *("".join(word.split()) for word in at)})
    written = set()
    for host, names in mailboxes(emails).items():
        hosts = [host.replace(".", dot) for dot in (".", "点", "。", "dot")]
        written |= {"".join(whole) for whole in product(names, signs, hosts)}
    return frozenset(written)


@lru_cache(maxsize=256)
def mailboxes(emails: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """The names before the at sign, by what stands behind it."""
    names: dict[str, tuple[str, ...]] = {}
    for email in map(plain, emails):
        name, _, host = email.removeprefix("mailto:").rpartition("@")
        if name:
            names[host] = (*names.get(host, ()), name)
    return names


def ends_own_email(before: str, host: str, emails: tuple[str, ...]) -> bool:
    """Whether `host` only ends a registered address whose name stands just before: kefu 艾特 example.net."""
    near = before.rstrip()
    return any(name in near[-len(name) - LONGEST_AT :] for name in mailboxes(emails).get(host, ()))


# Domains


def host_of(link: str) -> str:
    """The host of a folded link, without scheme, user, port and final dot. A backslash ends it, as in browsers."""
    rest = HOST_END.split(SCHEME.sub("", link, count=1), maxsplit=1)[0]
    return rest.rpartition("@")[2].partition(":")[0].rstrip(".")


def in_ascii(host: str) -> str:
    """例子.中国 as xn--fsqu00a.xn--fiqs8s; what can't be written so stays."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


@lru_cache(maxsize=256)
def own_hosts(domains: tuple[str, ...]) -> tuple[str, ...]:
    """Registered domains; www.example.com and https://example.com/ both mean example.com."""
    hosts = (WILDCARD.sub("", host_of(plain(domain))) for domain in domains)
    return tuple(in_ascii(host) for host in hosts if host)


def owner(host: str, domains: tuple[str, ...]) -> str:
    """The domain of `domains` that `host` is or lies under; empty for none."""
    whole = f".{in_ascii(host)}"
    return next((domain for domain in domains if whole.endswith(f".{domain}")), "")
