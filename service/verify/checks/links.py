"""Whose a link is: the platform's, the shop's, or somebody else's; and whether a bare name is a host at all."""

from __future__ import annotations

import re

from publicsuffixlist import PublicSuffixList

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.surroundings import contains_any

SCHEME = re.compile(r"^[a-z0-9.+-]*\s?:?\s?/\s?/\s?")
HOST_END = re.compile(r"[/?#:\s]")
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


def compile_check(words: Words) -> Check:
    suffixes = PublicSuffixList()
    unit_like = frozenset(words["unit_like"])
    dots = re.compile(
        r"\s*(?:" + "|".join(map(re.escape, sorted(words["dots"], key=len, reverse=True))) + r")\s*"
    )

    def check(case: Case) -> Outcome:
        link = case.candidate.value
        if case.candidate.kind in {"share_code", "address"}:
            return Confirmed("form")
        host = spelled_out(link, dots) if case.candidate.kind == "spoken" else host_of(link)
        own = owner(host, (*case.rules.domains, *case.message.assets.domains))
        if own:
            return Dismissed("own_domain", f"{host} belongs to {own}")
        if case.candidate.kind in {"scheme", "spoken"}:
            return Confirmed(f"link to {host}")
        suffix = host.rpartition(".")[2]
        registered = suffixes.privatesuffix(host, accept_unknown=False) if host.isascii() else host
        if not registered:
            return Dismissed("public_suffix", f".{suffix} is no top-level domain")
        name = host.removesuffix("." + suffix).rpartition(".")[2]
        marked = link != host or contains_any(case.around.near, LINK_WORDS) or host.startswith("www.")
        if suffix in unit_like and not marked:
            return Dismissed("unit", f"{host} reads as a unit, a version or a file")
        if len(name) < 2 and not marked:
            return Dismissed("unit", f"{host} is too short for a host that nothing else marks as a link")
        return Confirmed(f"host {host} under .{suffix}")

    return check


def host_of(link: str) -> str:
    """The host of a folded link, without user, port and final dot."""
    rest = SCHEME.sub("", link, count=1)
    return HOST_END.split(rest, maxsplit=1)[0].rpartition("@")[2].rstrip(".")


def spelled_out(link: str, dots: re.Pattern[str]) -> str:
    """The host of a link whose dots are words."""
    return dots.sub(".", link)


def owner(host: str, domains: tuple[str, ...]) -> str:
    """The domain of `domains` that `host` is or lies under; empty for none."""
    return next((domain for domain in domains if host == domain or host.endswith("." + domain.lower())), "")
