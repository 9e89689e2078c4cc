"""Appeals and reviews as they are kept. Always within one tenant; what may follow what is in `transitions.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Conflict, NotFound
from service.record import schema
from service.record.aliases import find_alias
from service.record.cursor import read_time_cursor, time_cursor
from service.record.database import Store, reading
from service.record.incident import Incident, State
from service.record.incidents import incident_of_row
from service.record.review import Appeal, Review
from service.record.transitions import Verdict, state_after

_incidents = schema.incidents
_appeals = schema.appeals
_reviews = schema.reviews


class ReviewFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which reviews to list; what is None is not asked."""

    verdict: Verdict | None = None
    since: datetime | None = None
    until: datetime | None = None
    with_exception: bool | None = None
    """Only those that propose one, or only those that do not."""


async def lock_incident(
    connection: AsyncConnection, tenant_id: str, incident_id: str, *, key_id: str | None = None
) -> Incident:
    """The incident, held until the end of the transaction; with `key_id` only if that key caused it. Raises NotFound."""
    own = [_incidents.c.tenant_id == tenant_id, _incidents.c.id == incident_id]
    if key_id is not None:
        own.append(_incidents.c.key_id == key_id)
    row = (await connection.execute(select(_incidents).where(*own).with_for_update())).one_or_none()
    if row is None:
        meant = await find_alias(connection, tenant_id, incident_id)
        if meant is not None:
            return await lock_incident(connection, tenant_id, meant, key_id=key_id)
        raise NotFound(f"there is no incident {incident_id}; list them at /v1/incidents")
    return incident_of_row(row)


async def file_appeal(connection: AsyncConnection, incident: Incident, appeal: Appeal) -> Incident:
    """Keeps the appeal against a locked incident, which is returned as it is then.

    Raises Conflict `already_appealed` for a second one, `wrong_state` where there is nothing to dispute.
    """
    found = await find_appeal(connection, incident.tenant_id, incident.id)
    if found is not None:
        raise Conflict(
            f"incident {incident.id} is {incident.state} and was appealed once at {found.filed_at:%Y-%m-%dT%H:%M:%SZ}; "
            "each can be appealed once",
            code="already_appealed",
        )
    state = state_after(incident.id, incident.state, "appeal")
    row = msgspec.structs.asdict(appeal) | {"evidence": msgspec.to_builtins(appeal.evidence)}
    await connection.execute(insert(_appeals), [row])
    return await _change(connection, incident, {"state": state, "appeal_due_at": appeal.due_at})


async def add_review(connection: AsyncConnection, incident: Incident, review: Review, state: State) -> Incident:
    """Keeps the review of a locked incident, which is in `state` from then on and claimed by nobody."""
    await connection.execute(insert(_reviews), [msgspec.structs.asdict(review)])
    return await _change(
        connection,
        incident,
        {
            "state": state,
            "reviewed_by": review.key_id,
            "reviewed_at": review.at,
            "reduced_to": review.severity,
            "appeal_due_at": None,
            "claimed_by": None,
            "claimed_until": None,
        },
    )


async def find_appeal(store: Store, tenant_id: str, incident_id: str) -> Appeal | None:
    """The appeal against an incident; None when there was none."""
    query = select(_appeals).where(_appeals.c.tenant_id == tenant_id, _appeals.c.incident_id == incident_id)
    async with reading(store) as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else msgspec.convert(row, Appeal, from_attributes=True)


async def reviews_of(store: Store, tenant_id: str, incident_id: str) -> list[Review]:
    """All decisions on an incident, oldest first."""
    own = (_reviews.c.tenant_id == tenant_id, _reviews.c.incident_id == incident_id)
    async with reading(store) as connection:
        rows = await connection.execute(select(_reviews).where(*own).order_by(_reviews.c.at, _reviews.c.id))
        return [_review(row) for row in rows]


async def list_reviews(
    store: Store, tenant_id: str, filters: ReviewFilters, *, limit: int, cursor: str | None = None
) -> tuple[list[Review], str | None]:
    """At most `limit` reviews, newest first, and the cursor of the next page or None. Raises Malformed for a broken one."""
    query = select(_reviews).where(_reviews.c.tenant_id == tenant_id)
    if filters.verdict is not None:
        query = query.where(_reviews.c.verdict == filters.verdict)
    if filters.since is not None:
        query = query.where(_reviews.c.at >= filters.since)
    if filters.until is not None:
        query = query.where(_reviews.c.at < filters.until)
    if filters.with_exception is not None:
        empty = _reviews.c.exception.is_(None)
        query = query.where(~empty if filters.with_exception else empty)
    if cursor is not None:
        query = query.where(tuple_(_reviews.c.at, _reviews.c.id) < read_time_cursor(cursor))
    query = query.order_by(_reviews.c.at.desc(), _reviews.c.id.desc()).limit(limit + 1)
    async with reading(store) as connection:
        found = [_review(row) for row in await connection.execute(query)]
    if len(found) <= limit:
        return found, None
    return found[:limit], time_cursor(found[limit - 1].at, found[limit - 1].id)


async def _change(connection: AsyncConnection, incident: Incident, values: dict[str, Any]) -> Incident:
    own = (_incidents.c.tenant_id == incident.tenant_id, _incidents.c.id == incident.id)
    row = (await connection.execute(update(_incidents).where(*own).values(values).returning(_incidents))).one()
    return incident_of_row(row)


def _review(row: Row[Any]) -> Review:
    return msgspec.convert(row, Review, from_attributes=True)
