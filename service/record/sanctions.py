"""Sanctions: started by the books, lifted by the books or by a supervisor, listed by phase."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Conflict, NotFound
from service.record import schema
from service.record.account import Side
from service.record.announce import announce_sanctions
from service.record.cursor import read_time_cursor, time_cursor
from service.record.database import Store, reading, writing
from service.record.sanction import Phase, Sanction

_table = schema.sanctions


class SanctionFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which sanctions to list; what is None is not asked."""

    account_id: str | None = None
    shop_id: str | None = None
    agent_id: str | None = None
    scheme: str | None = None
    side: Side | None = None
    phases: tuple[Phase, ...] = ()
    """Any of these; empty: all."""


NO_FILTERS = SanctionFilters()


async def start_sanctions(connection: AsyncConnection, sanctions: Sequence[Sanction]) -> None:
    """Adds sanctions of accounts that are locked."""
    if sanctions:
        await connection.execute(insert(_table), [msgspec.structs.asdict(each) for each in sanctions])


async def lift_fallen(connection: AsyncConnection, sanctions: Sequence[Sanction], at: datetime, reason: str) -> None:
    """Lifts what no longer holds, of accounts that are locked."""
    for each in sanctions:
        own = (_table.c.tenant_id == each.tenant_id, _table.c.id == each.id)
        await connection.execute(update(_table).where(*own).values(lifted_at=at, lift_reason=reason))


async def lift_sanction(
    store: Store, tenant_id: str, sanction_id: str, at: datetime, *, key_id: str, reason: str
) -> Sanction:
    """A supervisor lifts it; it stays lifted whatever becomes of the points. Returns it as it is then.

    Raises NotFound; Conflict `not_liftable` when it has ended or was lifted before.
    """
    change = (
        update(_table)
        .where(_table.c.tenant_id == tenant_id, _table.c.id == sanction_id, _of_phases(("pending", "in_force"), at))
        .values(lifted_at=at, lifted_by=key_id, lift_reason=reason)
        .returning(_table)
    )
    async with writing(store) as connection:
        row = (await connection.execute(change)).one_or_none()
        if row is not None:
            lifted = _sanction(row)
            await announce_sanctions(connection, lifted=[lifted], at=at, ended_by="supervisor")
            return lifted
        sanction = await get_sanction(connection, tenant_id, sanction_id)
    raise Conflict(
        f"sanction {sanction_id} is {sanction.phase(at)}; only one that is pending or in force can be lifted",
        code="not_liftable",
    )


async def get_sanction(store: Store, tenant_id: str, sanction_id: str) -> Sanction:
    """Raises NotFound."""
    query = select(_table).where(_table.c.tenant_id == tenant_id, _table.c.id == sanction_id)
    async with reading(store) as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"there is no sanction {sanction_id}; list them at /v1/sanctions")
    return _sanction(row)


async def list_sanctions(
    store: Store,
    tenant_id: str,
    filters: SanctionFilters = NO_FILTERS,
    *,
    now: datetime,
    limit: int,
    cursor: str | None = None,
) -> tuple[list[Sanction], str | None]:
    """At most `limit` sanctions, newest first, and the cursor of the next page or None. `now` decides the phases.

    Raises Malformed for a broken cursor.
    """
    query = select(_table).where(_table.c.tenant_id == tenant_id, *_conditions(filters, now))
    if cursor is not None:
        query = query.where(tuple_(_table.c.created_at, _table.c.id) < read_time_cursor(cursor))
    query = query.order_by(_table.c.created_at.desc(), _table.c.id.desc()).limit(limit + 1)
    found = await _read(store, query)
    if len(found) <= limit:
        return found, None
    return found[:limit], time_cursor(found[limit - 1].created_at, found[limit - 1].id)


async def sanctions_since(store: Store, tenant_id: str, account_id: str, scheme: str, day: date) -> list[Sanction]:
    """All that entries of `day` or later brought about in this account and scheme, oldest first."""
    own = (_table.c.tenant_id == tenant_id, _table.c.account_id == account_id, _table.c.scheme == scheme)
    query = select(_table).where(*own, _table.c.day >= day).order_by(_table.c.created_at, _table.c.id)
    return await _read(store, query)


async def sanctions_that_ended(
    store: Store, tenant_ids: Sequence[str], after: datetime, until: datetime
) -> list[Sanction]:
    """Those of these tenants whose time was up after `after` and no later than `until`, in that order."""
    query = select(_table).where(
        _table.c.lifted_at.is_(None),
        _table.c.ends_at > after,
        _table.c.ends_at <= until,
        _table.c.tenant_id.in_(tenant_ids),
    )
    return await _read(store, query.order_by(_table.c.ends_at, _table.c.id))


# Pending or in force: made once, for standings are asked for often.
_NOW = (
    select(_table)
    .where(
        _table.c.tenant_id == bindparam("tenant"),
        _table.c.account_id == bindparam("account"),
        _table.c.lifted_at.is_(None),
        or_(_table.c.ends_at.is_(None), _table.c.ends_at > bindparam("now")),
    )
    .order_by(_table.c.created_at.desc(), _table.c.id.desc())
)


async def sanctions_now(store: Store, tenant_id: str, account_id: str, now: datetime) -> list[Sanction]:
    """What is pending or in force in this account, newest first."""
    async with reading(store) as connection:
        rows = await connection.execute(_NOW, {"tenant": tenant_id, "account": account_id, "now": now})
        return [_sanction(row) for row in rows]


def _conditions(filters: SanctionFilters, now: datetime) -> list[ColumnElement[bool]]:
    equal = ("account_id", "shop_id", "agent_id", "scheme", "side")
    conditions: list[ColumnElement[bool]] = [
        _table.c[name] == value for name in equal if (value := getattr(filters, name)) is not None
    ]
    if filters.phases:
        conditions.append(_of_phases(filters.phases, now))
    return conditions


def _of_phases(phases: Sequence[Phase], now: datetime) -> ColumnElement[bool]:
    """As `Sanction.phase` says it, for the database."""
    here = _table.c
    standing = here.lifted_at.is_(None)
    conditions: dict[Phase, ColumnElement[bool]] = {
        "lifted": here.lifted_at.is_not(None),
        "pending": and_(standing, here.starts_at > now),
        "in_force": and_(standing, here.starts_at <= now, or_(here.ends_at.is_(None), here.ends_at > now)),
        "ended": and_(standing, here.starts_at <= now, here.ends_at <= now),
    }
    return or_(*(conditions[phase] for phase in phases))


async def _read(store: Store, query: Select[Any]) -> list[Sanction]:
    async with reading(store) as connection:
        return [_sanction(row) for row in await connection.execute(query)]


def _sanction(row: Row[Any]) -> Sanction:
    return Sanction(**row._mapping)
