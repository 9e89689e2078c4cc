"""A shop's registered street addresses, whole or in part. An address of a text in, whether it is the shop's out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from service.verify.own import plain

SHORTEST = 6
"""Letters and digits of an address that say which one it is."""
HAN_NUMBER = re.compile("[零〇一二三四五六七八九十百]+")
HAN_DIGIT = {**{digit: value for value, digit in enumerate("零一二三四五六七八九")}, "〇": 0}
HAN_UNIT = {"十": 10, "百": 100}


def bare_address(address: str) -> str:
    """Letters and digits only; numbers in Han digits as digits: 科技路八十八号 is 科技路88号."""
    kept = "".join(character for character in plain(address) if character.isalnum())
    return HAN_NUMBER.sub(lambda found: han_number(found.group()), kept)


def han_number(text: str) -> str:
    """八十八 as 88, 一百零三 as 103, 八八 as 88."""
    if not any(character in HAN_UNIT for character in text):
        return "".join(str(HAN_DIGIT[character]) for character in text)
    total, digit = 0, 0
    for character in text:
        if character in HAN_UNIT:
            total, digit = total + (digit or 1) * HAN_UNIT[character], 0
        else:
            digit = HAN_DIGIT[character]
    return str(total + digit)


class Addresses(NamedTuple):
    """Registered addresses, in the two ways in which they are looked for."""

    by_end: Mapping[str, tuple[str, ...]]
    """Their last characters -> those that end so."""
    together: str
    """All of them, a line each."""


@lru_cache(maxsize=256)
def own_addresses(addresses: tuple[str, ...]) -> Addresses:
    """What says too little to excuse anything is left out: 上海市 alone is no address."""
    own = [each for each in map(bare_address, addresses) if len(each) >= SHORTEST]
    by_end: dict[str, tuple[str, ...]] = {}
    for each in own:
        by_end[each[-SHORTEST:]] = (*by_end.get(each[-SHORTEST:], ()), each)
    return Addresses(by_end, "\n".join(own))


def is_own_address(address: str, registered: tuple[str, ...], regions: tuple[str, ...]) -> bool:
    """Whether `address` holds a registered address, or ends with a part of one that says enough.

    Words before it (请寄到) do not matter, unless they name another place (`regions`): 北京市… is in no part of 深圳市.
    """
    seen, own = bare_address(address), own_addresses(registered)
    starts = range(len(seen) - SHORTEST + 1)
    if any(holds(seen, each) for start in starts for each in own.by_end.get(seen[start : start + SHORTEST], ())):
        return True
    if seen[-SHORTEST:] not in own.together:
        return False
    start = next((start for start in starts if holds(own.together, seen[start:])), None)
    return start is not None and (not start or not any(region in seen[: start + 1] for region in regions))


def holds(whole: str, part: str) -> bool:
    """Whether `part` lies in `whole` without cutting a number: 科技路88 does not lie in 科技路888号."""
    place = whole.find(part)
    while place >= 0:
        around = (whole[:place][-1:] + part[0], part[-1] + whole[place + len(part) :][:1])
        if not any(len(pair) == 2 and pair.isdecimal() for pair in around):
            return True
        place = whole.find(part, place + 1)
    return False
