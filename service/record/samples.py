"""Messages that were allowed, a few of many, masked: what a draft is tried on. Always within one tenant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import delete, func, insert, select

from service.record.database import Store, reading, writing
from service.record.traffic_schema import traffic_samples as _table
from service.vocabulary import Channel, Platform


class TrafficSample(msgspec.Struct, frozen=True, kw_only=True):
    """One message, without who sent it."""

    id: str
    """UUIDv7."""
    tenant_id: str
    at: datetime
    platform: Platform
    channel: Channel
    text: str
    """As it may be stored: see `withhold`."""


async def add_samples(store: Store, samples: Sequence[TrafficSample]) -> None:
    """Stores all in one statement."""
    async with writing(store) as connection:
        await connection.execute(insert(_table), [msgspec.structs.asdict(sample) for sample in samples])


async def newest_samples(store: Store, tenant_id: str, since: datetime | None, limit: int) -> list[TrafficSample]:
    """At most `limit` samples, newest first; None: as old as they are."""
    query = select(_table).where(_table.c.tenant_id == tenant_id)
    if since is not None:
        query = query.where(_table.c.at >= since)
    async with reading(store) as connection:
        rows = await connection.execute(query.order_by(_table.c.at.desc(), _table.c.id.desc()).limit(limit))
        return [TrafficSample(**row._mapping) for row in rows]


async def count_samples(store: Store, tenant_id: str) -> int:
    query = select(func.count()).select_from(_table).where(_table.c.tenant_id == tenant_id)
    async with reading(store) as connection:
        found: int = (await connection.execute(query)).scalar_one()
    return found


async def sampled_tenants(store: Store) -> list[str]:
    """The tenants of which there are samples."""
    async with reading(store) as connection:
        return list((await connection.execute(select(_table.c.tenant_id).distinct())).scalars())


async def purge_samples(store: Store, tenant_id: str, before: datetime, limit: int) -> int:
    """Deletes at most `limit` samples from before a time; returns how many."""
    old = select(_table.c.id).where(_table.c.tenant_id == tenant_id, _table.c.at < before).limit(limit)
    async with writing(store) as connection:
        return (await connection.execute(delete(_table).where(_table.c.id.in_(old)))).rowcount
