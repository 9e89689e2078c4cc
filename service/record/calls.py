"""The last calls of each connection: what became of them and why, never what was in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import delete, insert, select

from service.record.connection_schema import connection_calls as _table
from service.record.database import Store, reading, writing

KEPT = 50
"""Calls of a connection."""

CallVerdict = Literal["allow", "warn", "block", "ignored", "handshake", "refused", "followed_up", "failed"]
"""The strictest decision about its messages; `ignored`: nothing to check; `handshake`: the tool only tried the address;
`refused`: not proved, or not readable; `followed_up`: ours to the tool, a note or a retraction; `failed`: no decision in
time, so the fail action answered, or a call of ours to the tool that came to nothing."""


class HookCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call."""

    id: str
    """UUIDv7."""
    connection_id: str
    at: datetime
    verdict: CallVerdict
    status: int
    """Of our answer; for a call of ours, of the tool's, 0 when it did not answer."""
    messages: int
    """How many were checked."""
    latency_ms: float
    reason: str | None = None
    """Why it was refused, ignored or failed."""


async def add_calls(store: Store, calls: Sequence[HookCall]) -> None:
    """Adds them and forgets all but the last `KEPT` of their connections."""
    async with writing(store) as connection:
        await connection.execute(insert(_table), [msgspec.structs.asdict(call) for call in calls])
        for connection_id in sorted({call.connection_id for call in calls}):
            newest = select(_table.c.id).where(_table.c.connection_id == connection_id).order_by(_table.c.id.desc())
            oldest_kept = newest.offset(KEPT - 1).limit(1).scalar_subquery()
            await connection.execute(
                delete(_table).where(_table.c.connection_id == connection_id, _table.c.id < oldest_kept)
            )


async def last_calls(store: Store, connection_id: str) -> list[HookCall]:
    """Newest first."""
    query = select(_table).where(_table.c.connection_id == connection_id).order_by(_table.c.id.desc()).limit(KEPT)
    async with reading(store) as connection:
        return [msgspec.convert(row, HookCall, from_attributes=True) for row in await connection.execute(query)]
