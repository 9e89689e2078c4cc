"""What a street address is there for: the shop's registered one passes, shipping passes, an invitation weighs more."""

from __future__ import annotations

from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.own import bare_address, own_addresses
from service.verify.surroundings import contains_any

SHORTEST = 6
"""Characters of a registered address that say something; 上海市 alone must not excuse every address there."""


def compile_check(words: Words) -> Check:
    regions = tuple(words["regions"])
    invites, ships, no_roads = tuple(words["invites"]), tuple(words["ships"]), tuple(words["not_roads"])

    def check(case: Case) -> Outcome:
        if is_registered(case.candidate.value, case.message.assets.addresses, regions):
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


def is_registered(address: str, registered: tuple[str, ...], regions: tuple[str, ...]) -> bool:
    """Whether `address` holds one of the shop's addresses, or ends with a part of one that says enough.

    Words before it (请寄到) do not matter, unless they name another place: 北京市… is no part of an address in 深圳市.
    """
    seen = bare_address(address)
    own = [each for each in own_addresses(registered) if len(each) >= SHORTEST]
    if any(holds(seen, each) for each in own):
        return True
    starts = range(len(seen) - SHORTEST + 1)
    start = next((start for start in starts if any(holds(each, seen[start:]) for each in own)), None)
    return start is not None and (not start or not contains_any(seen[: start + 1], regions))


def holds(whole: str, part: str) -> bool:
    """Whether `part` lies in `whole` without cutting a number: 科技路88 does not lie in 科技路888号."""
    place = whole.find(part)
    if place < 0:
        return False
    around = (whole[:place][-1:] + part[0], part[-1] + whole[place + len(part) :][:1])
    return not any(len(pair) == 2 and pair.isdecimal() for pair in around)
