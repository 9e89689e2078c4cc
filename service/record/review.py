"""What people say of an incident: an agent's appeal, a supervisor's review."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from service.record.incident import State
from service.record.transitions import Verdict
from service.vocabulary import Severity


class Evidence(msgspec.Struct, frozen=True):
    """One thing that speaks for the agent. Nothing is fetched."""

    kind: Literal["text", "url", "message_id"]
    value: str


class Appeal(msgspec.Struct, frozen=True, kw_only=True):
    """An agent disputes an incident; at most one for each."""

    tenant_id: str
    incident_id: str
    key_id: str
    """Who filed it, on the agent's behalf."""
    filed_at: datetime
    due_at: datetime
    """By when it should be decided."""
    reason: str
    evidence: tuple[Evidence, ...] = ()


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One decision of a supervisor. Decisions are only ever added; the last one holds."""

    id: str
    """UUIDv7."""
    tenant_id: str
    incident_id: str
    key_id: str
    at: datetime
    state_before: State
    verdict: Verdict
    severity: Severity | None = None
    """As what it counts from now on; only for `reduced`."""
    note: str
    exception: dict[str, Any] | None = None
    """What the reviewer proposes for a lexicon, so that the same honest words do not hit again."""
