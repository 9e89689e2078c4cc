"""The audit log: every change through an admin route, with who, when, before and after."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert, select, tuple_
from uuid_utils import uuid7

from service.record import schema
from service.record.cursor import read_time_cursor, time_cursor
from service.record.database import Store, reading, writing

_table = schema.audit_log


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change."""

    id: str
    """UUIDv7."""
    tenant_id: str
    key_id: str
    """The API key that made the change."""
    at: datetime
    action: str
    """What was done, such as `shop.put`."""
    target: str
    """The id of what it was done to."""
    before: Any = None
    """JSON; None when it is new."""
    after: Any = None
    """JSON; None when it was deleted."""
    reason: str | None = None
    """X-Audit-Reason of the request."""


async def add_entry(
    database: Store,
    tenant_id: str,
    key_id: str,
    at: datetime,
    action: str,
    target: str,
    *,
    before: Any = None,
    after: Any = None,
    reason: str | None = None,
) -> AuditEntry:
    """Adds an entry. `before` and `after` are anything msgspec can write as JSON, and must hold no secret.

    Hand over the connection in which the change is made, so that neither exists without the other.
    """
    entry = AuditEntry(
        id=str(uuid7()), tenant_id=tenant_id, key_id=key_id, at=at, action=action, target=target,
        before=_as_json(before), after=_as_json(after), reason=reason,
    )  # fmt: skip
    async with writing(database) as connection:
        await connection.execute(insert(_table).values(msgspec.structs.asdict(entry)))
    return entry


async def list_entries(
    database: Store, tenant_id: str, *, limit: int, cursor: str | None = None
) -> tuple[list[AuditEntry], str | None]:
    """At most `limit` entries, newest first, and the cursor of the next page or None.

    Raises Malformed for a broken cursor.
    """
    position = tuple_(_table.c.at, _table.c.id)
    query = (
        select(_table)
        .where(_table.c.tenant_id == tenant_id)
        .order_by(_table.c.at.desc(), _table.c.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(position < read_time_cursor(cursor))
    async with reading(database) as connection:
        found = [AuditEntry(**row._mapping) for row in await connection.execute(query)]
    if len(found) <= limit:
        return found, None
    return found[:limit], time_cursor(found[limit - 1].at, found[limit - 1].id)


def _as_json(value: Any) -> Any:
    """The value as it will be read again."""
    return msgspec.json.decode(msgspec.json.encode(value))
