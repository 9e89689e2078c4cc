"""What stays of a decision that was not `allow`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from service.vocabulary import Category, Channel, Platform, Severity

State = Literal["open", "overridden", "appealed", "upheld", "reduced", "overturned"]
"""What leads from one to the next is in `transitions.py`."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded warn or block. Times are aware, UTC."""

    id: str
    """UUIDv7."""
    tenant_id: str
    key_id: str
    """The API key that asked, or the connection through which the message came."""
    request_id: str
    created_at: datetime
    """When the decision was made; the order of lists."""
    sent_at: datetime
    """When the agent sent it, as the client says; decides night hours and score periods."""
    platform: Platform
    channel: Channel
    shop_id: str
    agent_id: str
    conversation_id: str | None = None
    customer_id: str | None = None
    message_id: str | None = None
    """The client's own id."""
    decision: Literal["warn", "block"]
    severity: Severity
    """The gravest among the findings."""
    categories: tuple[Category, ...]
    """Each category among the findings once."""
    text: str
    """The message as it may be stored."""
    findings: tuple[dict[str, Any], ...]
    """As in the answer that the client got."""
    state: State = "open"
    lexicon_version: str
    policy_version: str
    override_reason: str | None = None
    """What the agent's side said when it sent a warned message anyway."""
    overridden_at: datetime | None = None
    repeat_key: str | None = None
    """Equal for the same message of the same agent to the same customer; None: is never taken for a repetition."""
    attempts: int = 1
    """How often it was tried within a short while of the try before."""
    last_attempt_at: datetime | None = None
    """When it was tried last, if more than once."""
    claimed_by: str | None = None
    """Id of the key that has taken it to decide."""
    claimed_until: datetime | None = None
    """From then on the claim is as if it had never been."""
    appeal_due_at: datetime | None = None
    """By when an appeal against it should be decided."""
    reviewed_by: str | None = None
    """Id of the key that decided last."""
    reviewed_at: datetime | None = None
    reduced_to: Severity | None = None
    """As what it counts, once it is `reduced`."""
    provider: str | None = None
    """The chat tool that it came from; None for one that a client asked about itself."""
    connection_id: str | None = None
    """Through which connection."""
    after_delivery: bool = False
    """The customer had seen the message before it was checked."""

    def claimant(self, now: datetime) -> str | None:
        """Whose claim holds at `now`."""
        return self.claimed_by if self.claimed_until is not None and now < self.claimed_until else None
