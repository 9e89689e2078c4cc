"""Jobs: what goes on in the background, how far it is, and what came of it. Always within one tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import insert, select, update

from service.errors import NotFound
from service.record.database import Store, reading, writing
from service.record.lexicon_schema import jobs as _table

State = Literal["queued", "running", "done", "failed"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work."""

    id: str
    tenant_id: str
    kind: str
    state: State
    done: int
    total: int
    result: bytes | None
    """JSON."""
    problem: str | None
    """Why it failed."""
    key_id: str
    created_at: datetime
    seen_at: datetime
    """When whoever works on it last said so."""
    finished_at: datetime | None


async def add_job(store: Store, job: Job) -> None:
    async with writing(store) as connection:
        await connection.execute(insert(_table).values(msgspec.structs.asdict(job)))


async def save_job(store: Store, job: Job) -> None:
    """Stores how far it is."""
    async with writing(store) as connection:
        await connection.execute(update(_table).where(_table.c.id == job.id).values(msgspec.structs.asdict(job)))


async def get_job(store: Store, tenant_id: str, job_id: str) -> Job:
    """Raises NotFound."""
    query = select(_table).where(_table.c.tenant_id == tenant_id, _table.c.id == job_id)
    async with reading(store) as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    return Job(**row._mapping)
