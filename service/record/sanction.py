"""What follows from a score: an interval with phases, which may be lifted, and is never deleted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from service.record.account import AccountKind, Side

Phase = Literal["pending", "in_force", "ended", "lifted"]


class Sanction(msgspec.Struct, frozen=True, kw_only=True):
    """One consequence for one account. Times are aware, UTC."""

    id: str
    """UUIDv7."""
    tenant_id: str
    account_id: str
    account_kind: AccountKind
    shop_id: str
    agent_id: str
    """Empty for a shop's."""
    scheme: str
    side: Side
    """`platform`: what the marketplace would do; it is shown as exposure and binds nobody here."""
    edition: str
    consequence: str
    """Its id in that edition of the ladder."""
    occasion: str
    """`line 2026-03` for a line that was crossed, `each time` for what every such incident brings about."""
    day: date
    """The day of the entry that brought it about, in the shop's time zone."""
    number: int
    """1, or more where the same entry brings it about again after it was lifted."""
    entry_id: str
    """The ledger entry that brought it about."""
    created_at: datetime
    starts_at: datetime
    ends_at: datetime | None = None
    """Not in force at this time any more; None: until it is lifted."""
    lifted_at: datetime | None = None
    lifted_by: str | None = None
    """Key id; None when it was lifted because it no longer held."""
    lift_reason: str | None = None

    def phase(self, now: datetime) -> Phase:
        """What it is at `now`."""
        if self.lifted_at is not None:
            return "lifted"
        if now < self.starts_at:
            return "pending"
        return "in_force" if self.ends_at is None or now < self.ends_at else "ended"
