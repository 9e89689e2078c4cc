"""Which process serves which version, and since when: each writes its own rows, everybody may read them."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.schema import Table

from service.record.database import Store, reading, writing
from service.record.lexicon_schema import worker_versions as _versions
from service.record.lexicon_schema import workers as _workers

SILENT = timedelta(seconds=30)
"""A worker that was not heard of for so long does not count."""
FORGOTTEN = timedelta(minutes=10)


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A process that decides messages."""

    id: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker serves one tenant with."""

    worker_id: str
    tenant_id: str
    lexicon_version: str
    number: int
    """Of the news that it has taken in."""
    since: datetime
    problem: str | None = None
    """Why it stayed with what it had, when the newest could not be compiled."""


async def show_up(store: Store, worker: Worker) -> None:
    """Says that the worker is there; forgets those that have gone."""
    async with writing(store) as connection:
        await _upsert(connection, _workers, ["id"], msgspec.structs.asdict(worker))
        gone = select(_workers.c.id).where(_workers.c.seen_at < worker.seen_at - FORGOTTEN)
        await connection.execute(delete(_versions).where(_versions.c.worker_id.in_(gone)))
        await connection.execute(delete(_workers).where(_workers.c.seen_at < worker.seen_at - FORGOTTEN))


async def say_serving(store: Store, serving: Serving) -> None:
    """Says what a worker serves a tenant with from now on."""
    async with writing(store) as connection:
        await _upsert(connection, _versions, ["worker_id", "tenant_id"], msgspec.structs.asdict(serving))


async def leave(store: Store, worker_id: str) -> None:
    """A worker that stops in good order."""
    async with writing(store) as connection:
        await connection.execute(delete(_versions).where(_versions.c.worker_id == worker_id))
        await connection.execute(delete(_workers).where(_workers.c.id == worker_id))


async def list_workers(store: Store, tenant_id: str, at: datetime) -> list[tuple[Worker, Serving | None]]:
    """Every worker that is there, with what it has said of the tenant; None: it serves the shipped words as they are."""
    query = select(_workers).where(_workers.c.seen_at >= at - SILENT).order_by(_workers.c.id)
    async with reading(store) as connection:
        workers = [Worker(**row._mapping) for row in await connection.execute(query)]
        rows = await connection.execute(select(_versions).where(_versions.c.tenant_id == tenant_id))
        said = {row.worker_id: Serving(**row._mapping) for row in rows}
    return [(worker, said.get(worker.id)) for worker in workers]


async def _upsert(connection: AsyncConnection, table: Table, key: list[str], row: dict[str, object]) -> None:
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    await connection.execute(insert(table).values(row).on_conflict_do_update(index_elements=key, set_=row))
