"""What may become of an incident, in one table: which step leads from which states to which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from service.errors import Conflict
from service.record.incident import State

Verdict = Literal["upheld", "reduced", "overturned"]
"""upheld: it counts as it stands; reduced: it counts as less grave; overturned: it does not count."""
Step = Literal["override", "appeal", "uphold", "reduce", "overturn"]

TRANSITIONS: Mapping[Step, tuple[tuple[State, ...], State]] = {
    # Only a warn can be sent anyway; a block can't.
    "override": (("open",), "overridden"),
    # Once for each incident; what was overturned leaves nothing to dispute.
    "appeal": (("open", "overridden", "upheld", "reduced"), "appealed"),
    # A decision can be changed, never repeated.
    "uphold": (("open", "overridden", "appealed", "reduced", "overturned"), "upheld"),
    "reduce": (("open", "overridden", "appealed", "upheld", "overturned"), "reduced"),
    "overturn": (("open", "overridden", "appealed", "upheld", "reduced"), "overturned"),
}
DECIDED: tuple[State, ...] = ("upheld", "reduced", "overturned")
"""A reviewer has spoken; another one needs a claim to speak again."""
STEP_OF: Mapping[Verdict, Step] = {"upheld": "uphold", "reduced": "reduce", "overturned": "overturn"}
PAST: Mapping[Step, str] = {
    "override": "overridden",
    "appeal": "appealed",
    "uphold": "upheld",
    "reduce": "reduced",
    "overturn": "overturned",
}


def state_after(incident_id: str, state: State, step: Step) -> State:
    """Where `step` leads from `state`. Raises Conflict `wrong_state`, which names the state, where it leads nowhere."""
    before, after = TRANSITIONS[step]
    if state not in before:
        raise Conflict(
            f"incident {incident_id} is {state}; only one that is {' or '.join(before)} can be {PAST[step]}",
            code="wrong_state",
        )
    return after
