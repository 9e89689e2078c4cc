"""Connections: one for each account at a chat tool that calls us. Secrets come and go sealed (`sealed.py`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, delete, insert, select, tuple_, update

from service.errors import NotFound
from service.record.connection_schema import connection_calls as _calls
from service.record.connection_schema import connections as _table
from service.record.connection_schema import hook_cursors as _cursors
from service.record.cursor import read_time_cursor, time_cursor
from service.record.database import Store, reading, writing
from service.vocabulary import Platform

FailAction = Literal["allow", "block"]
Language = Literal["zh-CN", "en"]


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One account at one tool. Times are aware, UTC."""

    id: str
    """UUIDv7."""
    tenant_id: str
    name: str
    provider: str
    platform: Platform
    """The marketplace whose rules apply to what comes through."""
    shop_id: str
    language: Language
    """Of what the agent reads in a refusal."""
    settings: dict[str, Any]
    """The tool's own."""
    deadline_ms: int | None
    """None: the tool's default."""
    fail_action: FailAction
    """What the tool is answered when there was no time to decide."""
    enabled: bool = True
    secret: str | None
    """Sealed JSON; None where the tool signs nothing."""
    previous_secret: str | None = None
    previous_until: datetime | None = None
    """Until then what was before a rotation is taken, too."""
    token: str
    """Sealed: what makes the address unguessable."""
    previous_token: str | None = None
    revision: int = 1
    """Raised by every change."""
    created_at: datetime


async def add_connection(store: Store, connection: Connection) -> None:
    async with writing(store) as opened:
        await opened.execute(insert(_table).values(msgspec.structs.asdict(connection)))


async def get_connection(store: Store, tenant_id: str, connection_id: str, *, lock: bool = False) -> Connection:
    """Raises NotFound. With `lock` nobody else changes it before the transaction ends."""
    query = select(_table).where(_table.c.tenant_id == tenant_id, _table.c.id == connection_id)
    async with reading(store) as opened:
        row = (await opened.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise _not_found(connection_id)
    return _connection(row)


async def change_connection(store: Store, connection: Connection, **changes: Any) -> Connection:
    """The connection with the changes, as the next revision. Read it with `lock` in the same transaction."""
    changed = msgspec.structs.replace(connection, revision=connection.revision + 1, **changes)
    async with writing(store) as opened:
        values = msgspec.structs.asdict(changed)
        await opened.execute(update(_table).where(_table.c.id == connection.id).values(values))
    return changed


async def delete_connection(store: Store, tenant_id: str, connection_id: str) -> Connection:
    """Forgets it, its calls and its cursors, and returns it as it was; its incidents stay. Raises NotFound."""
    own = (_table.c.tenant_id == tenant_id, _table.c.id == connection_id)
    async with writing(store) as opened:
        row = (await opened.execute(delete(_table).where(*own).returning(_table))).one_or_none()
        if row is None:
            raise _not_found(connection_id)
        for of_it in (_calls, _cursors):
            await opened.execute(delete(of_it).where(of_it.c.connection_id == connection_id))
    return _connection(row)


async def list_connections(
    store: Store, tenant_id: str, *, limit: int, cursor: str | None = None
) -> tuple[list[Connection], str | None]:
    """At most `limit` connections, newest first, and the cursor of the next page or None. Raises Malformed for a broken
    cursor.
    """
    position = tuple_(_table.c.created_at, _table.c.id)
    newest = (_table.c.created_at.desc(), _table.c.id.desc())
    query = select(_table).where(_table.c.tenant_id == tenant_id).order_by(*newest).limit(limit + 1)
    if cursor is not None:
        query = query.where(position < read_time_cursor(cursor))
    async with reading(store) as opened:
        found = [_connection(row) for row in await opened.execute(query)]
    if len(found) <= limit:
        return found, None
    return found[:limit], time_cursor(found[limit - 1].created_at, found[limit - 1].id)


async def revisions(store: Store) -> dict[str, int]:
    """Id -> revision of all tenants' connections: what a worker compares with those it knows."""
    async with reading(store) as opened:
        return {row.id: row.revision for row in await opened.execute(select(_table.c.id, _table.c.revision))}


async def read_connections(store: Store, ids: Iterable[str]) -> list[Connection]:
    """Those of any tenant; what is no longer there is left out."""
    wanted = sorted(ids)
    found: list[Connection] = []
    async with reading(store) as opened:
        for start in range(0, len(wanted), 500):
            query = select(_table).where(_table.c.id.in_(wanted[start : start + 500]))
            found += [_connection(row) for row in await opened.execute(query)]
    return found


def _connection(row: Row[Any]) -> Connection:
    return msgspec.convert(row, Connection, from_attributes=True)


def _not_found(connection_id: str) -> NotFound:
    return NotFound(f"there is no connection {connection_id}; list them at /v1/connections")
