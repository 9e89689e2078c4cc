"""Shadows: versions that run beside what is in service, and what they would have decided otherwise, summed by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.record.database import Store, reading, writing
from service.record.lexicon_schema import lexicons as _lexicons
from service.record.news import tell
from service.record.traffic_schema import shadow_counts as _counts
from service.record.traffic_schema import shadow_examples as _examples
from service.record.traffic_schema import shadows as _table
from service.vocabulary import Action, Platform

MAX_EXAMPLES = 200
"""Of one shadow that are kept for each way from one action to another."""

CountKind = Literal["messages", "skipped", "decision", "term"]


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a version beside what is in service."""

    id: str
    """UUIDv7."""
    tenant_id: str
    lexicon_id: str
    version: str
    revision: int | None
    """The draft's, where it was the draft that was taken; None for a version that was there before."""
    key_id: str
    started_at: datetime
    ended_at: datetime | None = None


class CountName(NamedTuple):
    """What is counted."""

    shadow_id: str
    day: date
    kind: CountKind
    name: str
    """`allow -> block`, a term's id; empty for messages."""


class Both(NamedTuple):
    """How often it was so in service, and how often beside it; the same where that can't differ."""

    live: int
    shadow: int


class ShadowExample(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the shadow would have decided otherwise."""

    id: str
    tenant_id: str
    shadow_id: str
    at: datetime
    platform: Platform
    text: str
    """As it may be stored: see `withhold`."""
    before: Action
    after: Action
    terms: tuple[str, ...]
    """What found something on one side only."""


async def start_shadow(store: Store, shadow: Shadow) -> None:
    """Runs it instead of the lexicon's shadow before, and tells the workers."""
    async with writing(store) as connection:
        await _end(connection, shadow.lexicon_id, shadow.started_at)
        await connection.execute(insert(_table).values(msgspec.structs.asdict(shadow)))
        await tell(connection, shadow.tenant_id)


async def end_shadow(store: Store, shadow: Shadow, at: datetime) -> None:
    """Stops it and tells the workers; what it has found stays."""
    async with writing(store) as connection:
        await _end(connection, shadow.lexicon_id, at)
        await tell(connection, shadow.tenant_id)


async def last_shadow(store: Store, lexicon_id: str) -> Shadow | None:
    """The lexicon's last shadow, whether it still runs or not."""
    query = select(_table).where(_table.c.lexicon_id == lexicon_id).order_by(_table.c.id.desc()).limit(1)
    async with reading(store) as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else Shadow(**row._mapping)


async def running_shadows(store: Store, tenant_id: str) -> list[tuple[str, Shadow]]:
    """The name of the lexicon, and its shadow, of those that run."""
    living = (_lexicons.c.id == _table.c.lexicon_id) & _lexicons.c.deleted_at.is_(None)
    query = select(_table, _lexicons.c.name).join(_lexicons, living)
    query = query.where(_table.c.tenant_id == tenant_id, _table.c.ended_at.is_(None)).order_by(_table.c.id)
    names = Shadow.__struct_fields__
    async with reading(store) as connection:
        rows = await connection.execute(query)
        return [(row.name, Shadow(**{name: row._mapping[name] for name in names})) for row in rows]


async def add_shadow_counts(store: Store, counts: Mapping[CountName, Both]) -> None:
    """Adds to what was counted before, in an order that keeps two writers from waiting for each other."""
    rows = [{**name._asdict(), **both._asdict()} for name, both in sorted(counts.items())]
    async with writing(store) as connection:
        insert_into = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
        statement = insert_into(_counts)
        added = {name: _counts.c[name] + statement.excluded[name] for name in Both._fields}
        keys = list(CountName._fields)
        await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=added), rows)


async def read_shadow_counts(store: Store, shadow_id: str) -> dict[CountName, Both]:
    """All that was counted."""
    async with reading(store) as connection:
        rows = await connection.execute(select(_counts).where(_counts.c.shadow_id == shadow_id))
        return {CountName(shadow_id, row.day, row.kind, row.name): Both(row.live, row.shadow) for row in rows}


async def add_shadow_examples(store: Store, examples: Sequence[ShadowExample]) -> None:
    """Stores those for which there is still room."""
    async with writing(store) as connection:
        room = await _room(connection, {each.shadow_id for each in examples})
        kept = []
        for each in examples:
            way = (each.shadow_id, each.before, each.after)
            if room.setdefault(way, MAX_EXAMPLES) > 0:
                room[way] -= 1
                kept.append(msgspec.structs.asdict(each))
        if kept:
            await connection.execute(insert(_examples), kept)


async def shadow_examples(store: Store, shadow_id: str) -> list[ShadowExample]:
    """All that are kept, newest first."""
    query = select(_examples).where(_examples.c.shadow_id == shadow_id).order_by(_examples.c.id.desc())
    async with reading(store) as connection:
        rows = await connection.execute(query)
        return [ShadowExample(**{**row._mapping, "terms": tuple(row.terms)}) for row in rows]


async def exemplified_tenants(store: Store) -> list[str]:
    """The tenants of which there are examples."""
    async with reading(store) as connection:
        return list((await connection.execute(select(_examples.c.tenant_id).distinct())).scalars())


async def purge_shadow_examples(store: Store, tenant_id: str, before: datetime, limit: int) -> int:
    """Deletes at most `limit` examples from before a time; returns how many."""
    old = select(_examples.c.id).where(_examples.c.tenant_id == tenant_id, _examples.c.at < before).limit(limit)
    async with writing(store) as connection:
        return (await connection.execute(delete(_examples).where(_examples.c.id.in_(old)))).rowcount


async def _end(connection: AsyncConnection, lexicon_id: str, at: datetime) -> None:
    running = (_table.c.lexicon_id == lexicon_id, _table.c.ended_at.is_(None))
    await connection.execute(update(_table).where(*running).values(ended_at=at))


async def _room(connection: AsyncConnection, shadow_ids: set[str]) -> dict[tuple[str, str, str], int]:
    way = (_examples.c.shadow_id, _examples.c.before, _examples.c.after)
    query = select(*way, func.count().label("number")).where(_examples.c.shadow_id.in_(shadow_ids)).group_by(*way)
    rows = await connection.execute(query)
    return {(row.shadow_id, row.before, row.after): MAX_EXAMPLES - row.number for row in rows}
