"""Whose a link is: the platform's, the shop's, or somebody else's; and whether a bare name is a host at all."""

from __future__ import annotations

import re
from ipaddress import ip_address

from publicsuffixlist import PublicSuffixList

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.own import ends_own_email, host_of, own_hosts, owner
from service.verify.surroundings import contains_any

LABEL = re.compile(r"^(?:[^\W_]|[^\x00-\x7f])(?:(?:[\w-]|[^\x00-\x7f])*(?:[^\W_]|[^\x00-\x7f]))?$")
LAST_LABEL = re.compile(r"^(?:xn--[a-z0-9-]+|[^\W\d_]{2,24})$")
BRACKETS = ("(", "[", "【", "「", "《")
WEB_SCHEMES = {"http", "https", "hxxp", "hxxps", "htxp", "ftp"}
"""As people write them; the others belong to apps."""
LINK_WORDS = (
    "http",
    "www",
    "网址",
    "链接",
    "网站",
    "官网",
    "打开",
    "浏览器",
    "点击",
    "访问",
    "登录",
    "复制",
    "搜",
    "地址",
)
ROUTER_WORDS = ("路由", "光猫", "网关", "wifi", "摄像头")
MANY_DOTS = 3
"""A name with so many dots is no unit and no file: s.l.o.w.io."""
ADDRESS_WORDS = ("http", "网址", "链接", "网站", "浏览器", "访问", "登录", "输入")


def compile_check(words: Words) -> Check:
    suffixes = PublicSuffixList()
    unit_like, share_words = frozenset(words["unit_like"]), tuple(words["share_words"])
    titles = frozenset(words["titles"])
    dots = re.compile(r"\s*(?:" + "|".join(map(re.escape, sorted(words["dots"], key=len, reverse=True))) + r")\s*")

    def check(case: Case) -> Outcome:
        link = case.candidate.value
        if case.candidate.kind == "share_code":
            return check_share_code(case, share_words)
        if case.candidate.kind == "address":
            return check_address(case)
        host = spelled_out(link, dots) if case.candidate.kind == "spoken" else host_of(link)
        assets = case.message.assets
        own = owner(host, (*case.rules.domains, *own_hosts(assets.domains)))
        if own:
            return Dismissed("own_domain", f"{host} belongs to {own}")
        emails = (*assets.emails, *assets.accounts)
        if case.candidate.kind != "scheme" and ends_own_email(case.around.before, spelled_out(host, dots), emails):
            return Dismissed("own_account", f"{host} ends an e-mail address that the shop has registered")
        if case.candidate.kind == "spoken" or host.startswith("www."):
            return Confirmed(f"link to {host}")
        if case.candidate.kind == "scheme":
            return check_scheme(link, host)
        suffix = host.rpartition(".")[2]
        if not suffixes.privatesuffix(host, accept_unknown=False):
            return Dismissed("public_suffix", f".{suffix} is no top-level domain")
        if not suffix.isascii() and case.around.after[:1].isalnum():
            return Dismissed("form", f"{suffix} begins a sentence: {suffix}{case.around.after[:4]}")
        name = host.removesuffix("." + suffix).rpartition(".")[2]
        marked = link != host or contains_any(case.around.near, LINK_WORDS) or host.count(".") >= MANY_DOTS
        if suffix in unit_like and not marked:
            return Dismissed("unit", f"{host} reads as a unit, a version or a file")
        if (len(name) < 2 or name in titles) and not marked:
            return Dismissed("unit", f"{host} is too short for a host that nothing else marks as a link")
        return Confirmed(f"host {host} under .{suffix}")

    return check


def check_share_code(case: Case, share_words: tuple[str, ...]) -> Outcome:
    """Between signs of money any code counts; brackets also hold coupons and batch numbers."""
    typed = case.message.text[slice(*case.candidate.span)]
    if not case.around.surface.startswith(BRACKETS) or (
        any(c.isupper() for c in typed) and any(c.islower() for c in typed)
    ):
        return Confirmed("form of a share code")
    word = contains_any(case.around.near, share_words)
    return (
        Confirmed(f"{word} near a code")
        if word
        else Dismissed("context", "nothing says that this code is to be opened")
    )


def check_scheme(link: str, host: str) -> Outcome:
    """A scheme of the web needs a host; one of an app opens the app whatever follows: weixin://dl/business."""
    scheme = link.partition(":")[0].strip()
    if scheme in WEB_SCHEMES or "/" in scheme:
        return Confirmed(f"link to {host}") if is_host(host) else Dismissed("form", f"{host} cannot be a host")
    return Confirmed(f"link that opens an app: {scheme}")


def is_host(host: str) -> bool:
    """Whether `host` could be looked up: proper labels, and a last one of letters, or an address, or a machine's name."""
    labels = host.split(".")
    if not all(LABEL.match(label) for label in labels) or any(
        not label.isascii() for label in labels if label[:4] == "xn--"
    ):
        return False
    if len(labels) == 1:
        return host == "localhost" or any(character.isdigit() for character in host)
    return bool(LAST_LABEL.match(labels[-1])) or len(labels) == 4


def check_address(case: Case) -> Outcome:
    """An IP address counts with a port, a path or a word about links; else it is a version or a list of numbers."""
    numbers, _, rest = case.candidate.value.partition("/")
    octets = numbers.partition(":")[0].split(".")
    around = case.around.before[-1:] + case.around.after[:1]
    if any(int(octet) > 255 for octet in octets) or any(c.isascii() and (c.isalnum() or c in "._") for c in around):
        return Dismissed("form", "a longer row of numbers")
    private = ip_address(".".join(str(int(octet)) for octet in octets)).is_private
    if private and contains_any(case.around.near, ROUTER_WORDS):
        return Dismissed("context", "a router's address in the customer's own network")
    if rest or ":" in numbers or contains_any(case.around.near, ADDRESS_WORDS):
        return Confirmed("IP address used as a link")
    return Dismissed("context", "reads as a version; nothing says that it is a link")


def spelled_out(link: str, dots: re.Pattern[str]) -> str:
    """The host of a link whose dots are words."""
    return dots.sub(".", link)
