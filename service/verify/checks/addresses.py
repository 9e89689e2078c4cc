"""What a street address is there for: the shop's registered one passes, shipping passes, an invitation weighs more."""

from __future__ import annotations

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.own_addresses import is_own_address
from service.verify.surroundings import contains_any


def compile_check(words: Words) -> Check:
    regions = tuple(words["regions"])
    invites, ships, no_roads = tuple(words["invites"]), tuple(words["ships"]), tuple(words["not_roads"])

    def check(case: Case) -> Outcome:
        if is_own_address(case.candidate.value, case.message.assets.addresses, regions):
            return Dismissed("own_address", "registered by the shop")
        no_road = contains_any(case.candidate.value, no_roads)
        if no_road:
            return Dismissed("form", f"{no_road} is no road, so the number is a day or the like")
        invitation = contains_any(case.around.near, invites)
        if invitation:
            return Confirmed(f"{invitation} invites to come", "high")
        shipping = contains_any(case.around.near, ships)
        if shipping:
            return Dismissed("context", f"{shipping}: an address for parcels")
        return Confirmed("road and house number, not registered")

    return check
