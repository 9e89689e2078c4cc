"""Whose code a picture shows: one that leads to the platform's or the shop's own pages passes."""

from __future__ import annotations

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.own import host_of, own_hosts, owner


def compile_check(_words: Words) -> Check:
    def check(case: Case) -> Outcome:
        payload = case.candidate.value.strip().lower()
        if payload.startswith(("http://", "https://")):
            host = host_of(payload)
            own = owner(host, (*case.rules.domains, *own_hosts(case.message.assets.domains)))
            if own:
                return Dismissed("own_domain", f"{host} belongs to {own}")
            return Confirmed(f"code with a link to {host}")
        return Confirmed("code that could not be read" if case.candidate.kind == "unreadable" else "code in a picture")

    return check
