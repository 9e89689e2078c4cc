"""What others may be told of: thin events, which say what happened to what, and never hold a message's text."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args
from urllib.parse import quote

import msgspec
from uuid_utils import uuid7

EventType = Literal[
    "incident.created",
    "incident.reviewed",
    "incident.appealed",
    "sanction.started",
    "sanction.ended",
    "lexicon.published",
    "policy.changed",
    "endpoint.disabled",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
TEST_TYPE = "endpoint.test"
"""Of the event that is sent on request; nobody subscribes to it."""
MAX_LISTED = 50
"""Names in one list of an event, so that it stays under 20 kB."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    id: str
    """UUIDv7; what receivers tell repetitions by."""
    tenant_id: str
    type: str
    subject: str
    """What it is about; an endpoint hears of one subject in the order of its events."""
    at: datetime
    data: dict[str, Any]


def new_event(tenant_id: str, kind: str, subject: str, at: datetime, data: dict[str, Any]) -> Event:
    return Event(id=str(uuid7()), tenant_id=tenant_id, type=kind, subject=subject, at=at, data=data)


def agent_subject(shop_id: str, agent_id: str) -> str:
    """Of all that befalls an agent in a shop; of the shop itself where there is no agent."""
    return f"agents/{quote(shop_id, safe='')}/{quote(agent_id, safe='')}" if agent_id else shop_subject(shop_id)


def shop_subject(shop_id: str) -> str:
    return f"shops/{quote(shop_id, safe='')}"
