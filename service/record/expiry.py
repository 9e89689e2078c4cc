"""Sanctions that end by themselves: no request changes anything then, so somebody has to look, and tell, once each."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.record.announce import ended
from service.record.database import Database, insert_new
from service.record.outbox import listeners_of, put_events
from service.record.outbox_schema import outbox_marks as _marks
from service.record.outbox_schema import webhook_endpoints as _endpoints
from service.record.sanctions import sanctions_that_ended

NAME = "sanctions"
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


async def announce_ended(database: Database, now: datetime) -> int:
    """Tells of the sanctions that have ended since the last look, whichever process looked; how many there were.

    What ended before a tenant's first endpoint was there is not told.
    """
    first = select(_endpoints.c.tenant_id, func.min(_endpoints.c.created_at).label("at"))
    first = first.where(_endpoints.c.enabled, _endpoints.c.deleted_at.is_(None)).group_by(_endpoints.c.tenant_id)
    async with database.read() as connection:
        listening = {row.tenant_id: row.at for row in await connection.execute(first)}
        mark = (await connection.execute(select(_marks.c.at).where(_marks.c.name == NAME))).scalar_one_or_none()
    if not listening or (mark is not None and now <= mark):
        return 0
    async with database.write() as connection:
        since = max(await _move_mark(connection, now), min(listening.values()))
        found = await sanctions_that_ended(connection, sorted(listening), since, now)
        events = [
            ended(each, each.ends_at, "time")
            for each in found
            if each.ends_at is not None and each.ends_at > listening[each.tenant_id]
        ]
        await put_events(connection, events, await listeners_of(connection, {each.tenant_id for each in events}))
    return len(events)


async def _move_mark(connection: AsyncConnection, now: datetime) -> datetime:
    """Notes that all until `now` is told, and returns until when it was; others wait until this transaction is over."""
    await connection.execute(insert_new(_marks, connection.dialect).values(name=NAME, at=BEGINNING))
    query = select(_marks.c.at).where(_marks.c.name == NAME).with_for_update()
    before: datetime = (await connection.execute(query)).scalar_one()
    await connection.execute(update(_marks).where(_marks.c.name == NAME).values(at=max(now, before)))
    return before
