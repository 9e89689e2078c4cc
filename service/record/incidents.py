"""Reading incidents, and the one thing that the agent's side may change in them. Always within one tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Row, exists, or_, select, tuple_, update

from service.errors import Conflict, NotFound
from service.record import schema
from service.record.aliases import find_alias
from service.record.cursor import read_time_cursor, time_cursor
from service.record.database import Store, reading, writing
from service.record.incident import Incident, State
from service.vocabulary import Category, Platform

_table = schema.incidents
_EQUAL = (
    "platform",
    "shop_id",
    "agent_id",
    "decision",
    "state",
    "key_id",
    "provider",
    "connection_id",
    "after_delivery",
)
"""Filters that ask for an equal column."""


class IncidentFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which incidents to list; what is None is not asked."""

    since: datetime | None = None
    """Made at this time or later; aware."""
    until: datetime | None = None
    """Made before this time; aware."""
    platform: Platform | None = None
    shop_id: str | None = None
    agent_id: str | None = None
    category: Category | None = None
    """Among the incident's categories."""
    decision: Literal["warn", "block"] | None = None
    state: State | None = None
    text: str | None = None
    """Somewhere in the stored text; letters of either case."""
    key_id: str | None = None
    """Caused by this key."""
    provider: str | None = None
    """Came from this chat tool."""
    connection_id: str | None = None
    """Came through this connection."""
    after_delivery: bool | None = None
    """Whether the customer had seen it before it was checked."""
    claimed_at: datetime | None = None
    """Claimed by somebody at this time; aware."""
    unclaimed_at: datetime | None = None
    """Claimed by nobody at this time; aware."""
    due_before: datetime | None = None
    """Appealed, and to be decided before this time; aware."""


NO_FILTERS = IncidentFilters()


async def get_incident(database: Store, tenant_id: str, incident_id: str, *, key_id: str | None = None) -> Incident:
    """The tenant's incident, also by another id that it was given; with `key_id` only if that key caused it.

    Raises NotFound.
    """
    async with reading(database) as connection:
        row = (await connection.execute(select(_table).where(*_one(tenant_id, incident_id, key_id)))).one_or_none()
        meant = await find_alias(connection, tenant_id, incident_id) if row is None else None
        if meant is not None:
            row = (await connection.execute(select(_table).where(*_one(tenant_id, meant, key_id)))).one_or_none()
    if row is None:
        raise NotFound(f"there is no incident {incident_id}; list them at /v1/incidents")
    return incident_of_row(row)


async def list_incidents(
    database: Store,
    tenant_id: str,
    filters: IncidentFilters = NO_FILTERS,
    *,
    limit: int,
    cursor: str | None = None,
) -> tuple[list[Incident], str | None]:
    """At most `limit` incidents, newest first, and the cursor of the next page or None.

    Pages hang together while incidents are added. Raises Malformed for a broken cursor.
    """
    position = tuple_(_table.c.created_at, _table.c.id)
    query = (
        select(_table)
        .where(_table.c.tenant_id == tenant_id, *_conditions(filters))
        .order_by(_table.c.created_at.desc(), _table.c.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(position < read_time_cursor(cursor))
    async with reading(database) as connection:
        found = [incident_of_row(row) for row in await connection.execute(query)]
    if len(found) <= limit:
        return found, None
    return found[:limit], time_cursor(found[limit - 1].created_at, found[limit - 1].id)


async def override_incident(
    database: Store,
    tenant_id: str,
    incident_id: str,
    reason: str,
    at: datetime,
    *,
    key_id: str | None = None,
) -> Incident:
    """Notes that a warned message was sent anyway, and why; returns the incident as it is then.

    Raises NotFound, and Conflict for a block or for an incident that is no longer open.
    """
    change = (
        update(_table)
        .where(*_one(tenant_id, incident_id, key_id), _table.c.decision == "warn", _table.c.state == "open")
        .values(state="overridden", override_reason=reason, overridden_at=at)
        .returning(_table)
    )
    async with writing(database) as connection:
        row = (await connection.execute(change)).one_or_none()
        if row is not None:
            return incident_of_row(row)
        incident = await get_incident(connection, tenant_id, incident_id, key_id=key_id)
        if incident.id != incident_id:
            return await override_incident(connection, tenant_id, incident.id, reason, at, key_id=key_id)
    raise Conflict(
        f"incident {incident_id} is a {incident.decision} and {incident.state}; only an open warn can be overridden",
        code="not_overridable",
    )


def _one(tenant_id: str, incident_id: str, key_id: str | None) -> list[ColumnElement[bool]]:
    conditions = [_table.c.tenant_id == tenant_id, _table.c.id == incident_id]
    if key_id is not None:
        conditions.append(_table.c.key_id == key_id)
    return conditions


def _conditions(filters: IncidentFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        _table.c[name] == value for name in _EQUAL if (value := getattr(filters, name)) is not None
    ]
    if filters.since is not None:
        conditions.append(_table.c.created_at >= filters.since)
    if filters.until is not None:
        conditions.append(_table.c.created_at < filters.until)
    if filters.text is not None:
        conditions.append(_table.c.text.icontains(filters.text, autoescape=True))
    if filters.claimed_at is not None:
        conditions.append(_table.c.claimed_until > filters.claimed_at)
    if filters.unclaimed_at is not None:
        conditions.append(or_(_table.c.claimed_until.is_(None), _table.c.claimed_until <= filters.unclaimed_at))
    if filters.due_before is not None:
        conditions.append(_table.c.appeal_due_at < filters.due_before)
    if filters.category is not None:
        categories = schema.incident_categories.c
        conditions.append(
            exists().where(categories.incident_id == _table.c.id, categories.category == filters.category)
        )
    return conditions


def incident_of_row(row: Row[Any]) -> Incident:
    return msgspec.convert(row, Incident, from_attributes=True)
