"""Counts by hour, from which statistics are read: incidents are counted in their own transaction, once each.

Rows are only added to. Five numbers belong to each name: messages allowed, warned and blocked, and of the incidents
among them those that are upheld (or reduced) and those that are overturned now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.record import schema
from service.record.database import Store, insert_or_add, reading
from service.record.incident import Incident, State

Kind = Literal["decision", "category", "term", "agent", "latency"]
_table = schema.hourly_counts
NUMBERS = ("allowed", "warned", "blocked", "upheld", "overturned")
Numbers = tuple[int, int, int, int, int]
"""As NUMBERS names them."""
VERDICT_OF: Mapping[State, int] = {"upheld": 3, "reduced": 3, "overturned": 4}
"""Which of the numbers a state belongs to."""


class CountKey(NamedTuple):
    """What is counted."""

    tenant_id: str
    kind: Kind
    hour: int
    """Whole hours since 1970-01-01T00:00Z."""
    platform: str
    shop_id: str
    name: str
    """A category, a term's id, an agent's id, the upper bound of a latency in milliseconds; empty for decisions."""


class HourFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which counts to read; what is None is not asked."""

    first: int
    """Hour, included."""
    end: int
    """Hour, not included."""
    platform: str | None = None
    shop_id: str | None = None
    name: str | None = None


class HourSum(NamedTuple):
    """The sum over one bucket."""

    bucket: int
    name: str
    numbers: Numbers


def hour_of(moment: datetime) -> int:
    return int(moment.timestamp() // 3600)


async def count_incidents(connection: AsyncConnection, incidents: Iterable[Incident]) -> None:
    """Counts incidents that were stored in this transaction."""
    counts: dict[CountKey, Numbers] = {}
    for each in incidents:
        add_to(counts, keys_of(each), 2 if each.decision == "block" else 1)
    await add_counts(connection, counts)


async def count_verdict(connection: AsyncConnection, incident: Incident, state: State) -> None:
    """Notes that `incident`, as it was, goes over to `state`. An appeal leaves the last verdict in the count."""
    before = (
        VERDICT_OF.get(incident.state) if incident.state != "appealed" else await _verdict_before(connection, incident)
    )
    after = VERDICT_OF.get(state)
    if before == after:
        return
    counts: dict[CountKey, Numbers] = {}
    for number, change in ((before, -1), (after, 1)):
        if number is not None:
            add_to(counts, keys_of(incident), number, change)
    await add_counts(connection, counts)


def keys_of(incident: Incident) -> list[CountKey]:
    """Under which names an incident counts: once for each category and term among its findings."""
    terms = dict.fromkeys(found["term_id"] for found in incident.findings if found.get("term_id"))
    head = (incident.tenant_id, hour_of(incident.created_at), incident.platform, incident.shop_id)
    return [
        _key("decision", head, ""),
        _key("agent", head, incident.agent_id),
        *(_key("category", head, category) for category in incident.categories),
        *(_key("term", head, term) for term in terms),
    ]


def add_to(counts: dict[CountKey, Numbers], keys: Iterable[CountKey], number: int, change: int = 1) -> None:
    """Adds `change` to one of the numbers of each key."""
    for key in keys:
        old = counts.get(key, (0, 0, 0, 0, 0))
        counts[key] = (*old[:number], old[number] + change, *old[number + 1 :])  # type: ignore[assignment]


async def add_counts(connection: AsyncConnection, counts: Mapping[CountKey, Sequence[int]]) -> None:
    """Adds the numbers to what is stored. In one order everywhere, so that no two transactions wait for each other."""
    if not counts:
        return
    rows = [key._asdict() | dict(zip(NUMBERS, numbers, strict=True)) for key, numbers in sorted(counts.items())]
    await connection.execute(insert_or_add(_table, connection.dialect, NUMBERS), rows)


async def read_counts(
    store: Store, tenant_id: str, kind: Kind, filters: HourFilters, *, width: int, offset: int, limit: int
) -> list[HourSum]:
    """Sums over buckets of `width` hours that begin `offset` hours before whole multiples of them, by bucket and name.

    Bucket n covers the hours n * width - offset to (n + 1) * width - offset. At most `limit` rows.
    """
    here = _table.c
    bucket = ((here.hour + offset) // width).label("bucket")
    sums = [func.sum(here[name]).label(name) for name in NUMBERS]
    query = select(bucket, here.name, *sums).where(
        here.tenant_id == tenant_id, here.kind == kind, here.hour >= filters.first, here.hour < filters.end
    )
    for column in ("platform", "shop_id", "name"):
        if (value := getattr(filters, column)) is not None:
            query = query.where(here[column] == value)
    query = query.group_by(bucket, here.name).order_by(bucket, here.name).limit(limit)
    async with reading(store) as connection:
        rows = await connection.execute(query)
        return [HourSum(int(row[0]), row[1], tuple(int(value) for value in row[2:])) for row in rows]  # type: ignore[arg-type]


def _key(kind: Kind, head: tuple[str, int, str, str], name: str) -> CountKey:
    tenant_id, hour, platform, shop_id = head
    return CountKey(tenant_id, kind, hour, platform, shop_id, name)


async def _verdict_before(connection: AsyncConnection, incident: Incident) -> int | None:
    """The number that an appealed incident counts in: that of the last review."""
    here = schema.reviews.c
    own = (here.tenant_id == incident.tenant_id, here.incident_id == incident.id)
    last = select(here.verdict).where(*own).order_by(here.at.desc(), here.id.desc()).limit(1)
    verdict: State | None = (await connection.execute(last)).scalar_one_or_none()
    return VERDICT_OF.get(verdict) if verdict else None
