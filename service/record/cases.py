"""Cases of a lexicon: sentences that must hit and sentences that must not, tried before each publication."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import delete, func, insert, select
from uuid_utils import uuid7

from service.errors import Conflict, NotFound
from service.record.cursor import key_cursor, read_key_cursor
from service.record.database import Store, reading, writing
from service.record.lexicon_schema import lexicon_cases as _table
from service.vocabulary import Platform

MAX_CASES = 5000
"""Of one lexicon; each is decided at every publication."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence with what must become of it."""

    id: str
    text: str
    expect: Literal["hit", "pass"]
    platform: Platform | None
    """Whose policy judges; None is `generic`."""
    term_id: str | None
    """hit: this term must find something; None: anything. pass: this term must find nothing; None: nothing at all."""
    key_id: str
    created_at: datetime


def new_case(
    text: str, expect: Literal["hit", "pass"], platform: Platform | None, term_id: str | None, key_id: str, at: datetime
) -> Case:
    return Case(
        id=str(uuid7()), text=text, expect=expect, platform=platform, term_id=term_id, key_id=key_id, created_at=at
    )


async def add_case(store: Store, lexicon_id: str, case: Case) -> None:
    """Raises Conflict when there are too many."""
    async with writing(store) as connection:
        counted = select(func.count()).where(_table.c.lexicon_id == lexicon_id)
        if (await connection.execute(counted)).scalar_one() >= MAX_CASES:
            raise Conflict(f"a lexicon has at most {MAX_CASES} cases; delete some first", code="too_many")
        await connection.execute(insert(_table).values(msgspec.structs.asdict(case) | {"lexicon_id": lexicon_id}))


async def delete_case(store: Store, lexicon_id: str, case_id: str) -> Case:
    """Raises NotFound."""
    statement = delete(_table).where(_table.c.lexicon_id == lexicon_id, _table.c.id == case_id).returning(_table)
    async with writing(store) as connection:
        row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise NotFound(f"there is no case {case_id}")
    return msgspec.convert(row, Case, from_attributes=True)


async def list_cases(
    store: Store, lexicon_id: str, *, limit: int, cursor: str | None = None
) -> tuple[list[Case], str | None]:
    """At most `limit` cases, oldest first, and the cursor of the next page or None. Raises Malformed for a broken one."""
    query = select(_table).where(_table.c.lexicon_id == lexicon_id).order_by(_table.c.id).limit(limit + 1)
    if cursor is not None:
        query = query.where(_table.c.id > read_key_cursor(cursor, 1)[0])
    async with reading(store) as connection:
        found = [msgspec.convert(row, Case, from_attributes=True) for row in await connection.execute(query)]
    if len(found) <= limit:
        return found, None
    return found[:limit], key_cursor(found[limit - 1].id)
