"""Who sends what next: deliveries are claimed under a lease, and settled when their attempt is over.

    due -> claimed until the lease ends -> delivered | due later | dead

An endpoint hears of one subject in order: a delivery waits while an earlier one of the same endpoint and subject is
pending. Claims and settlements of one endpoint hold its row, so none of them acts on what another is changing. Whoever
dies with a claim leaves nothing behind but a lease that ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils import uuid7

from service.record.database import Store, reading
from service.record.endpoints import Endpoint, Kind, endpoint_of_row, switch_off
from service.record.outbox_schema import outbox_events as _events
from service.record.outbox_schema import webhook_deliveries as _table
from service.record.outbox_schema import webhook_endpoints as _endpoints

PaceOf = Callable[[Kind], timedelta | None]
"""How long an endpoint of a kind is spared after each attempt."""
WINDOW = 200
"""Due deliveries that are looked at in one claim."""
RECOVERY_SECONDS = 10.0
"""An endpoint that failed for at least so long and answers again is sent at once what waits for another attempt."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that is to be made now."""

    number: int
    lease: str
    event_id: str
    type: str
    subject: str
    at: datetime
    """Of the event."""
    body: bytes
    """`data` as JSON."""
    attempts: int
    """This one included."""
    first_attempt_at: datetime


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an attempt."""

    claim: Claim
    endpoint_id: str
    outcome: str
    """`delivered`, `failed`: again at `next_attempt_at`, `dead`: never again, `released`: as if never claimed."""
    next_attempt_at: datetime
    status: int | None = None
    error: str | None = None
    latency_ms: float | None = None
    pause_until: datetime | None = None
    """Until then the endpoint wants nothing at all."""
    switch_off: str | None = None
    """Why the endpoint is given up."""


async def due_endpoints(store: Store, now: datetime) -> list[str]:
    """The endpoints for which something is due."""
    due = exists().where(
        _table.c.endpoint_id == _endpoints.c.id, _table.c.state == "pending", _table.c.next_attempt_at <= now
    )
    async with reading(store) as connection:
        return list((await connection.execute(select(_endpoints.c.id).where(*_open(now), due))).scalars())


async def claim(
    connection: AsyncConnection,
    endpoint_id: str,
    now: datetime,
    limit: int,
    lease: timedelta,
    pace_of: PaceOf = lambda _: None,
) -> tuple[Endpoint, list[Claim]] | None:
    """At most `limit` deliveries to one endpoint, each the first of its subject, oldest first, inside `database.write()`.

    Where its kind has a pace, one is claimed, and nothing more for that long. None when another process is at this
    endpoint, or it is off.
    """
    query = select(_endpoints).where(_endpoints.c.id == endpoint_id, *_open(now)).with_for_update(skip_locked=True)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    endpoint = endpoint_of_row(row)
    pace = pace_of(endpoint.kind)
    limit = 1 if pace is not None else limit
    first = await _first_of_due(connection, endpoint_id, now)
    ready = [each for each in first if each["next_attempt_at"] <= now][:limit]
    token, until = str(uuid7()), now + lease
    numbers = [each["number"] for each in ready]
    if numbers:
        here = _table.c
        taken = update(_table).where(here.number.in_(numbers)).values(
            lease=token,
            next_attempt_at=until,
            attempts=here.attempts + 1,
            first_attempt_at=func.coalesce(here.first_attempt_at, now),
            last_attempt_at=now,
        )  # fmt: skip
        await connection.execute(taken)
    # Those behind them need not be looked at before these can be over.
    parked = [{**each, "next_attempt_at": until} for each in ready]
    parked += [each for each in first if each["next_attempt_at"] > now]
    if parked:
        await connection.execute(_PARK, [{"own": endpoint_id, "now": now, **_prefixed(each)} for each in parked])
    if pace is not None and numbers:
        paced = update(_endpoints).where(_endpoints.c.id == endpoint_id).values(not_before=now + pace)
        await connection.execute(paced)
    return endpoint, await _claims(connection, numbers, token)


async def settle(
    connection: AsyncConnection, settlements: Sequence[Settlement], now: datetime, give_up_after: timedelta
) -> None:
    """Notes what became of attempts, inside `database.write()`. One whose lease was lost changes nothing.

    An endpoint that has had nothing but failures for `give_up_after` is switched off.
    """
    ids = sorted({each.endpoint_id for each in settlements})
    query = select(_endpoints).where(_endpoints.c.id.in_(ids), _endpoints.c.deleted_at.is_(None))
    rows = await connection.execute(query.order_by(_endpoints.c.id).with_for_update())
    endpoints = {row.id: endpoint_of_row(row) for row in rows}
    for each in settlements:
        await _settle_one(connection, each, now)
    for endpoint_id, endpoint in endpoints.items():
        own = [each for each in settlements if each.endpoint_id == endpoint_id and each.outcome != "released"]
        await _settle_endpoint(connection, endpoint, own, now, give_up_after)


async def _first_of_due(connection: AsyncConnection, endpoint_id: str, now: datetime) -> list[dict[str, Any]]:
    """Of each subject that has something due, the first that is pending: number, subject, next_attempt_at."""
    here = _table.c
    pending = (here.endpoint_id == endpoint_id, here.state == "pending")
    due = select(here.subject).where(*pending, here.next_attempt_at <= now)
    due = due.order_by(here.next_attempt_at, here.number).limit(WINDOW)
    subjects = list(dict.fromkeys((await connection.execute(due)).scalars()))
    if not subjects:
        return []
    heads = select(func.min(here.number)).where(*pending, here.subject.in_(subjects)).group_by(here.subject)
    query = select(here.number, here.subject, here.next_attempt_at).where(here.number.in_(heads))
    found = [dict(row._mapping) for row in await connection.execute(query)]
    return sorted(found, key=lambda each: (each["next_attempt_at"], each["number"]))


async def _claims(connection: AsyncConnection, numbers: Sequence[int], lease: str) -> list[Claim]:
    if not numbers:
        return []
    here = _table.c
    query = select(
        here.number, here.lease, here.event_id, here.type, here.subject, here.attempts, here.first_attempt_at,
        _events.c.at, _events.c.body,
    ).join(_events, _events.c.id == here.event_id)  # fmt: skip
    rows = await connection.execute(query.where(here.number.in_(numbers), here.lease == lease).order_by(here.number))
    return [msgspec.convert(row, Claim, from_attributes=True) for row in rows]


async def _settle_one(connection: AsyncConnection, settlement: Settlement, now: datetime) -> None:
    here, claimed = _table.c, settlement.claim
    own = (here.number == claimed.number, here.lease == claimed.lease, here.state == "pending")
    values: dict[str, Any] = {"lease": None, "next_attempt_at": settlement.next_attempt_at}
    if settlement.outcome == "released":
        values["attempts"] = here.attempts - 1
    else:
        values |= {"last_status": settlement.status, "last_error": settlement.error}
        values["last_latency_ms"] = settlement.latency_ms
    over = settlement.outcome in ("delivered", "dead")
    if over:
        values |= {"state": settlement.outcome, "finished_at": now}
    changed = await connection.execute(update(_table).where(*own).values(values))
    if changed.rowcount and over:
        # Whoever was behind it is first now.
        behind = (here.endpoint_id == settlement.endpoint_id, here.subject == claimed.subject, here.state == "pending")
        following = select(func.min(here.number)).where(*behind).scalar_subquery()
        later = (here.number == following, here.lease.is_(None), here.next_attempt_at > now)
        await connection.execute(update(_table).where(*later).values(next_attempt_at=now))


async def _settle_endpoint(
    connection: AsyncConnection,
    endpoint: Endpoint,
    settlements: Sequence[Settlement],
    now: datetime,
    give_up_after: timedelta,
) -> None:
    if not settlements:
        return
    values: dict[str, Any] = {}
    since = endpoint.failing_since
    if any(each.outcome == "delivered" for each in settlements):
        if since is not None:
            values["failing_since"] = None
            if now - since >= timedelta(seconds=RECOVERY_SECONDS):
                await connection.execute(_WAKE, {"own": endpoint.id, "now": now})
    elif since is None:
        since = values["failing_since"] = now
    if pauses := [each.pause_until for each in settlements if each.pause_until is not None]:
        values["not_before"] = max(pauses)
    if values:
        await connection.execute(update(_endpoints).where(_endpoints.c.id == endpoint.id).values(values))
    reason = next((each.switch_off for each in settlements if each.switch_off is not None), None)
    failing = since is not None and "failing_since" not in values and now - since >= give_up_after
    if reason is None and failing:
        last = settlements[-1].error or "no success"
        reason = f"nothing but failures since {since:%Y-%m-%dT%H:%M:%SZ}; the last one: {last}"
    if reason is not None and endpoint.enabled:
        await switch_off(connection, endpoint, reason, now)


def _open(now: datetime) -> tuple[Any, ...]:
    here = _endpoints.c
    return here.enabled, here.deleted_at.is_(None), or_(here.not_before.is_(None), here.not_before <= now)


def _prefixed(head: dict[str, Any]) -> dict[str, Any]:
    return {"head": head["number"], "about": head["subject"], "until": head["next_attempt_at"]}


_PARK = (
    update(_table)
    .where(
        _table.c.endpoint_id == bindparam("own"),
        _table.c.state == "pending",
        _table.c.subject == bindparam("about"),
        _table.c.number > bindparam("head"),
        _table.c.next_attempt_at <= bindparam("now"),
    )
    .values(next_attempt_at=bindparam("until"))
)
"""What is due behind the first of its subject waits as long as that does."""
_WAKE = (
    update(_table)
    .where(
        and_(_table.c.endpoint_id == bindparam("own"), _table.c.state == "pending"),
        _table.c.attempts > 0,
        _table.c.lease.is_(None),
        _table.c.next_attempt_at > bindparam("now"),
    )
    .values(next_attempt_at=bindparam("now"))
)
"""What failed before is tried again at once."""
