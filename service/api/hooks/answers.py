"""What the answers of tools have in common: which message decides, and words within a tool's length."""

from __future__ import annotations

from collections.abc import Sequence

from service.api.hooks.payload import joined
from service.api.hooks.tool import Checked
from service.vocabulary import ACTION_RANK

FALLBACK = "消息未通过检查，请修改后再发。"


def blocked(checked: Sequence[Checked]) -> Checked | None:
    """The message for which the call is refused; None when all may pass."""
    strictest = max(checked, key=lambda one: ACTION_RANK[one.action], default=None)
    return strictest if strictest is not None and strictest.action == "block" else None


def refusal(checked: Checked, limit: int) -> str:
    """What the agent reads, at most `limit` characters: the rule and, if there is room, what to send instead."""
    full = joined((checked.agent_message, checked.suggestion)) or FALLBACK
    return full if len(full) <= limit else (checked.agent_message or full)[:limit]


def masked_parts(checked: Sequence[Checked], parts: Sequence[str]) -> list[str] | None:
    """The parts that were joined by line feeds to the one checked text, masked; None unless that is to be delivered and
    is all of them.
    """
    if len(checked) != 1 or not checked[0].rewrite or checked[0].message.text != joined(parts):
        return None
    masked, found, start = checked[0].masked_text, [], 0
    for part in parts:
        found.append(masked[start : start + len(part)])
        start += len(part) + 1 if part else 0
    return found
