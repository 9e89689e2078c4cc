"""The lexicons of a tenant: which there are, and what each has published. Always within one tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Select, select, update
from uuid_utils import uuid7

from service.errors import Conflict, NotFound
from service.record.cursor import key_cursor, read_key_cursor
from service.record.database import Store, insert_new, reading, writing
from service.record.lexicon_schema import lexicons as _table
from service.record.news import tell

MAX_LEXICONS = 50
"""In one tenant; each costs every message of the tenant some time."""


class Lexicon(msgspec.Struct, frozen=True, kw_only=True):
    """One lexicon, without its words."""

    id: str
    tenant_id: str
    name: str
    description: str
    enabled: bool
    """False takes it out of service, whatever it has published."""
    created_at: datetime
    revision: int
    """Of the draft: how many changes were made to it."""
    published_version: str | None
    """Hash of the content in service; None when nothing was published yet."""
    published_revision: int | None
    """The draft's revision that was published; None after a rollback, for then the draft is of another past."""
    published_at: datetime | None
    draft_id: str | None = None
    """Of the draft's rows, once it was replaced as a whole."""

    @property
    def items_id(self) -> str:
        """What the draft's rows are found by."""
        return self.draft_id or self.id


async def create_lexicon(store: Store, tenant_id: str, name: str, description: str, at: datetime) -> Lexicon:
    """Raises Conflict for a name that is taken, or too many lexicons."""
    made = Lexicon(
        id=str(uuid7()), tenant_id=tenant_id, name=name, description=description, enabled=True, created_at=at,
        revision=0, published_version=None, published_revision=None, published_at=None,
    )  # fmt: skip
    async with writing(store) as connection:
        living = select(_table.c.name).where(_table.c.tenant_id == tenant_id, _table.c.deleted_at.is_(None))
        names = set((await connection.execute(living)).scalars())
        if name not in names and len(names) >= MAX_LEXICONS:
            raise Conflict(f"a tenant has at most {MAX_LEXICONS} lexicons; delete one first", code="too_many")
        row = insert_new(_table, connection.dialect).values(msgspec.structs.asdict(made))
        if not (await connection.execute(row)).rowcount:
            raise Conflict(f"there is a lexicon {name} already; choose another name", code="exists")
    return made


async def get_lexicon(store: Store, tenant_id: str, name: str, *, lock: bool = False) -> Lexicon:
    """Raises NotFound. `lock` holds it against other writers until the transaction ends."""
    query = _select(tenant_id).where(_table.c.name == name)
    async with reading(store) as connection:
        row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFound(f"there is no lexicon {name}; make it with POST /v1/lexicons")
    return _lexicon(row)


async def list_lexicons(
    store: Store, tenant_id: str, *, limit: int, cursor: str | None = None
) -> tuple[list[Lexicon], str | None]:
    """At most `limit` lexicons by name, and the cursor of the next page or None. Raises Malformed for a broken cursor."""
    query = _select(tenant_id).order_by(_table.c.name).limit(limit + 1)
    if cursor is not None:
        query = query.where(_table.c.name > read_key_cursor(cursor, 1)[0])
    async with reading(store) as connection:
        found = [_lexicon(row) for row in await connection.execute(query)]
    if len(found) <= limit:
        return found, None
    return found[:limit], key_cursor(found[limit - 1].name)


async def change_lexicon(
    store: Store, lexicon: Lexicon, *, description: str | None = None, enabled: bool | None = None
) -> Lexicon:
    """`lexicon` with what is given; switching one on or off is news where it has published something."""
    changes: dict[str, Any] = {"description": description, "enabled": enabled}
    changes = {name: value for name, value in changes.items() if value is not None}
    if not changes:
        return lexicon
    async with writing(store) as connection:
        await connection.execute(update(_table).where(_table.c.id == lexicon.id).values(changes))
        if lexicon.published_version and changes.get("enabled", lexicon.enabled) != lexicon.enabled:
            await tell(connection, lexicon.tenant_id)
    return msgspec.structs.replace(lexicon, **changes)


async def delete_lexicon(store: Store, lexicon: Lexicon, at: datetime) -> None:
    """Takes it out of service and out of sight; its revisions and versions stay, and its name is free again."""
    async with writing(store) as connection:
        await connection.execute(update(_table).where(_table.c.id == lexicon.id).values(deleted_at=at))
        if lexicon.published_version and lexicon.enabled:
            await tell(connection, lexicon.tenant_id)


async def in_service(store: Store, tenant_id: str) -> list[Lexicon]:
    """The lexicons that decide the tenant's messages, by name."""
    query = _select(tenant_id).where(_table.c.enabled, _table.c.published_version.is_not(None)).order_by(_table.c.name)
    async with reading(store) as connection:
        return [_lexicon(row) for row in await connection.execute(query)]


async def take_revisions(store: Store, lexicon: Lexicon, count: int) -> int:
    """Reserves `count` numbers for changes of the draft and returns the first; hold the lexicon's lock."""
    async with writing(store) as connection:
        statement = (
            update(_table)
            .where(_table.c.id == lexicon.id)
            .values(revision=_table.c.revision + count)
            .returning(_table.c.revision)
        )
        last: int = (await connection.execute(statement)).scalar_one()
    return last - count + 1


def _select(tenant_id: str) -> Select[Any]:
    return select(_table).where(_table.c.tenant_id == tenant_id, _table.c.deleted_at.is_(None))


def _lexicon(row: Row[Any]) -> Lexicon:
    return msgspec.convert(row, Lexicon, from_attributes=True)
