"""What became of each event on its way to each endpoint: listed, looked at, tried again, forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, delete, exists, func, or_, select, update

from service.errors import NotFound
from service.record.cursor import broken, key_cursor, read_key_cursor
from service.record.database import Store, reading, writing
from service.record.outbox_schema import outbox_events as _events
from service.record.outbox_schema import webhook_deliveries as _table
from service.record.outbox_schema import webhook_endpoints as _endpoints

State = Literal["pending", "delivered", "dead"]
"""dead: it is not tried any more, unless somebody asks for it."""
MAX_DEPTH = 100_000
"""Of the waiting deliveries no more are counted."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one endpoint. Times are aware, UTC."""

    id: str
    """UUIDv7."""
    number: int
    """Rises in the order of the events of a subject."""
    endpoint_id: str
    event_id: str
    type: str
    subject: str
    state: State
    created_at: datetime
    attempts: int
    last_attempt_at: datetime | None
    next_attempt_at: datetime
    """Not before; while an attempt is under way, when it is given up for lost."""
    lease: str | None
    """Of the attempt that is under way."""
    last_status: int | None
    """HTTP status of the last answer; None when there was none."""
    last_error: str | None
    """Why the last attempt failed; None when it did not."""
    last_latency_ms: float | None
    finished_at: datetime | None


async def list_deliveries(
    store: Store, tenant_id: str, endpoint_id: str, state: State | None, *, limit: int, cursor: str | None = None
) -> tuple[list[Delivery], str | None]:
    """At most `limit`, newest first, and the cursor of the next page or None. Raises Malformed for a broken cursor."""
    query = select(_table).where(_table.c.tenant_id == tenant_id, _table.c.endpoint_id == endpoint_id)
    if state is not None:
        query = query.where(_table.c.state == state)
    if cursor is not None:
        query = query.where(_table.c.number < read_number(cursor))
    async with reading(store) as connection:
        rows = await connection.execute(query.order_by(_table.c.number.desc()).limit(limit + 1))
        found = [_delivery(row) for row in rows]
    if len(found) <= limit:
        return found, None
    return found[:limit], key_cursor(str(found[limit - 1].number))


def read_number(cursor: str) -> int:
    number = read_key_cursor(cursor, 1)[0]
    if not number.isdecimal() or len(number) > 18:
        raise broken()
    return int(number)


async def get_delivery(store: Store, tenant_id: str, endpoint_id: str, delivery_id: str) -> tuple[Delivery, bytes]:
    """The delivery, and the event's data as JSON. Raises NotFound."""
    own = (_table.c.tenant_id == tenant_id, _table.c.endpoint_id == endpoint_id, _table.c.id == delivery_id)
    query = select(_table, _events.c.body).join(_events, _events.c.id == _table.c.event_id).where(*own)
    async with reading(store) as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"there is no delivery {delivery_id} to this endpoint; list its deliveries")
    return _delivery(row), row.body


async def send_again(store: Store, delivery: Delivery, at: datetime) -> None:
    """Makes it due at once, with a new day of attempts before it; what is under way is left alone."""
    changes = {"state": "pending", "next_attempt_at": at, "first_attempt_at": None, "finished_at": None}
    query = update(_table).where(_table.c.number == delivery.number, _table.c.lease.is_(None)).values(changes)
    async with writing(store) as connection:
        await connection.execute(query)


async def outbox_depth(store: Store) -> int:
    """How many deliveries wait, counted up to MAX_DEPTH."""
    waiting = select(_table.c.number).where(_table.c.state == "pending").limit(MAX_DEPTH).subquery()
    async with reading(store) as connection:
        return (await connection.execute(select(func.count()).select_from(waiting))).scalar_one()


async def purge_deliveries(store: Store, delivered_before: datetime, dead_before: datetime, limit: int) -> int:
    """Deletes deliveries that ended before those times, and all to endpoints that were deleted; at most `limit` of each.

    Returns the larger number: call again until it is less than `limit`.
    """
    here = _table.c
    ended = (
        select(here.number)
        .where(
            here.state != "pending",
            or_(
                (here.state == "delivered") & (here.finished_at < delivered_before),
                (here.state == "dead") & (here.finished_at < dead_before),
            ),
        )
        .limit(limit)
    )
    gone = select(_endpoints.c.id).where(_endpoints.c.deleted_at.is_not(None))
    orphans = select(here.number).where(here.endpoint_id.in_(gone)).limit(limit)
    # To an endpoint that stays switched off nothing is sent; in the end nobody waits for it.
    stuck = select(here.number).where(here.state == "pending", here.created_at < dead_before).limit(limit)
    counts = []
    for numbers in (ended, orphans, stuck):
        async with writing(store) as connection:
            counts.append((await connection.execute(delete(_table).where(here.number.in_(numbers)))).rowcount)
    return max(counts)


async def purge_events(store: Store, before: datetime, limit: int) -> int:
    """Deletes events from before `before` that no delivery speaks of, at most `limit`; returns how many went."""
    spoken_of = exists().where(_table.c.event_id == _events.c.id)
    old = select(_events.c.id).where(_events.c.at < before, ~spoken_of).order_by(_events.c.at).limit(limit)
    async with writing(store) as connection:
        return (await connection.execute(delete(_events).where(_events.c.id.in_(old)))).rowcount


def _delivery(row: Row[Any]) -> Delivery:
    return msgspec.convert(row, Delivery, from_attributes=True)
