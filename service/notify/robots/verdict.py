"""Robots answer 200 whatever happens; what they mean stands in the body."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from service.notify.exchange import Answer, Heard, NotHeard, Verdict, judge_by_status

LONGEST = 200
"""Characters of a robot's own words that are kept."""


def judge_by_body(
    answer: Answer, codes: tuple[str, ...], words: tuple[str, ...], too_often: Collection[int], pause: float
) -> Verdict:
    """Heard if the first of the fields `codes` that is there is 0. `too_often`: codes that ask for a `pause`."""
    verdict = judge_by_status(answer)
    if isinstance(verdict, NotHeard):
        return verdict
    try:
        said = msgspec.json.decode(answer.body, type=dict[str, object])
    except msgspec.MsgspecError:
        return NotHeard("answered 200 without saying whether it was taken")
    code = next((said[name] for name in codes if isinstance(said.get(name), int)), None)
    if code == 0:
        return Heard()
    why = next((str(said[name]) for name in words if said.get(name)), "no reason given")
    return NotHeard(f"refused with code {code}: {why[:LONGEST]}", pause if code in too_often else None)
