"""What a street address is there for: the shop's registered one passes, shipping passes, an invitation weighs more."""

from __future__ import annotations

from service.text.message import Message
from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome, Words
from service.verify.surroundings import contains_any

SHORTEST = 6
"""Characters of a registered address that say something; 上海市 alone must not excuse every address there."""


def compile_check(words: Words) -> Check:
    invites, ships, no_roads = tuple(words["invites"]), tuple(words["ships"]), tuple(words["not_roads"])

    def check(case: Case) -> Outcome:
        if is_registered(case.candidate.value, case.message):
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


def is_registered(address: str, message: Message) -> bool:
    """Whether one of the shop's addresses holds `address` or lies in it, blanks and punctuation aside."""
    seen = bare(address)
    return any(seen in own or own in seen for own in map(bare, message.assets.addresses) if len(own) >= SHORTEST)


def bare(address: str) -> str:
    return "".join(character for character in address.lower() if character.isalnum())
