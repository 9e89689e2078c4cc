"""A large lexicon into a draft, in transactions that hold nobody up: SQLite has one writer, and a second is long in a chat.

    register -> the file's rows -> what of the draft stays -> changes meanwhile -> take the draft's place

The rows stand under an id of their own that nobody reads before the last transaction. Until then, and where the process
is killed, they are leftovers, which are swept some time later; so are the rows that were replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from time import monotonic

from sqlalchemy import ColumnElement, delete, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils import uuid7

from service.errors import Conflict
from service.record.database import Database, insert_new
from service.record.drafts import Author
from service.record.imports import Prepared, add_revision, put_rows
from service.record.lexicon_schema import lexicon_items as _items
from service.record.lexicon_schema import lexicon_leftovers as _leftovers
from service.record.lexicon_schema import lexicon_revisions as _revisions
from service.record.lexicon_schema import lexicons as _lexicons
from service.record.lexicons import Lexicon, get_lexicon, take_revisions

UNFINISHED = timedelta(minutes=15)
"""How long an import may take."""
REPLACED = timedelta(minutes=5)
"""How long a replaced draft stays for those who are just reading it."""
SWEPT = datetime(1970, 1, 1, tzinfo=UTC)
TRIES = 5
"""How often the draft is copied anew because another import came in between."""
BATCH = 400
"""Rows in one transaction: some milliseconds, more where the workbench has to wait for its turn of the processor."""
BREATH_SECONDS = 0.01
LONGEST_BREATH_SECONDS = 0.03

Note = Callable[[AsyncConnection, Lexicon, int], Awaitable[None]]


class _Replaced(Exception):
    """Another import has changed the draft since it was copied."""


async def import_large(
    database: Database, tenant_id: str, name: str, made: Prepared, author: Author, *, replace: bool, note: Note
) -> int:
    """What `import_content` does, with the same outcome as if all had happened in the last transaction.

    `note` is called in that one, with the lexicon as it was and the new revision. Raises NotFound, Conflict when the
    draft never stands still.
    """
    writing = Beside(database, str(uuid7()), made, author)
    async with database.write() as connection:
        lexicon = await get_lexicon(connection, tenant_id, name, lock=True)
        row = {"draft_id": writing.items_id, "sweep_after": author.at + UNFINISHED}
        await connection.execute(insert(_leftovers).values(row))
        # A number that no other change of the draft has: it tells the file's rows from all others.
        writing.mark = await take_revisions(connection, lexicon, 1)
    await writing.put_file()
    for _ in range(TRIES):
        async with database.read() as connection:
            lexicon = await get_lexicon(connection, tenant_id, name)
        if not replace:
            await writing.copy(lexicon)
        seen = lexicon.revision
        try:
            while True:
                async with database.write() as connection:
                    now = await get_lexicon(connection, tenant_id, name, lock=True)
                    seen, done = (now.revision, True) if replace else await writing.follow(connection, lexicon, seen)
                    if done:
                        revision = await writing.take_place(connection, now, replace=replace)
                        await note(connection, now, revision)
                        return revision
        except _Replaced:
            await writing.clear()
    raise Conflict("the draft was changed while the file was stored; send it again", code="draft_changed")


class Beside:
    """The rows of one import, under an id of their own."""

    def __init__(self, database: Database, items_id: str, made: Prepared, author: Author) -> None:
        self.items_id = items_id
        self.mark = 0
        self._database = database
        self._made = made
        self._author = author

    async def put_file(self) -> None:
        """The rows of the file."""
        for start in range(0, len(self._made.rows), BATCH):
            began = monotonic()
            async with self._database.write() as connection:
                await put_rows(connection, self.items_id, self.mark, self._made.rows[start : start + BATCH])
            await breathe(self._database, began)

    async def copy(self, lexicon: Lexicon) -> None:
        """What of the draft the file does not have."""
        last = ("", "")
        while True:
            began = monotonic()
            async with self._database.write() as connection:
                keys = (
                    select(_items.c.kind, _items.c.item_id)
                    .where(_items.c.lexicon_id == lexicon.items_id)
                    .where(tuple_(_items.c.kind, _items.c.item_id) > last)
                    .order_by(_items.c.kind, _items.c.item_id)
                    .limit(BATCH)
                )
                found = (await connection.execute(keys)).all()
                if found:
                    await self._copy(connection, lexicon.items_id, [(row.kind, row.item_id) for row in found])
            if len(found) < BATCH:
                return
            last = (found[-1].kind, found[-1].item_id)
            await breathe(self._database, began)

    async def follow(self, connection: AsyncConnection, copied: Lexicon, seen: int) -> tuple[int, bool]:
        """Takes over what was changed since `seen`; the last of it, and whether that is all. Hold the lexicon's lock."""
        mine = select(_revisions.c.revision, _revisions.c.kind, _revisions.c.item_id)
        later = mine.where(_revisions.c.lexicon_id == copied.id, _revisions.c.revision > seen)
        found = (await connection.execute(later.order_by(_revisions.c.revision).limit(BATCH))).all()
        if any(row.kind == "import" for row in found):
            raise _Replaced
        if found:
            keys = {(row.kind, row.item_id) for row in found}
            gone = (_items.c.lexicon_id == self.items_id, _items.c.revision != self.mark)
            await connection.execute(delete(_items).where(*gone, _is_one_of(keys)))
            await self._copy(connection, copied.items_id, keys)
        return (found[-1].revision if found else seen), len(found) < BATCH

    async def take_place(self, connection: AsyncConnection, lexicon: Lexicon, *, replace: bool) -> int:
        """From here on these are the draft's rows. Hold the lexicon's lock. Raises Conflict where it took too long."""
        mine = delete(_leftovers).where(
            _leftovers.c.draft_id == self.items_id, _leftovers.c.sweep_after == self._author.at + UNFINISHED
        )
        if not (await connection.execute(mine)).rowcount:
            raise Conflict("storing the file took too long; send it again", code="draft_changed")
        revision = await take_revisions(connection, lexicon, 1)
        await add_revision(connection, lexicon, self._made, self._author, revision, replace=replace)
        left = {"draft_id": lexicon.items_id, "sweep_after": self._author.at + REPLACED}
        await connection.execute(insert_new(_leftovers, connection.dialect).values(left))
        await connection.execute(update(_lexicons).where(_lexicons.c.id == lexicon.id).values(draft_id=self.items_id))
        return revision

    async def clear(self) -> None:
        """Only the file's rows stay."""
        await delete_rows(self._database, self.items_id, besides=self.mark)

    async def _copy(self, connection: AsyncConnection, items_id: str, keys: Iterable[tuple[str, str]]) -> None:
        columns = [column for column in _items.c if column.name != "lexicon_id"]
        found = await connection.execute(select(*columns).where(_items.c.lexicon_id == items_id, _is_one_of(keys)))
        rows = [{**row._mapping, "lexicon_id": self.items_id} for row in found]
        if rows:
            await connection.execute(insert_new(_items, connection.dialect), rows)


async def sweep_leftovers(database: Database, now: datetime) -> int:
    """Deletes the rows of drafts that were replaced, or never finished; how many drafts there were."""
    async with database.read() as connection:
        due = select(_leftovers.c.draft_id).where(_leftovers.c.sweep_after < now)
        found = list((await connection.execute(due)).scalars())
    for items_id in found:
        # Whoever still writes it must not take it for his own any more.
        async with database.write() as connection:
            mine = update(_leftovers).where(_leftovers.c.draft_id == items_id)
            await connection.execute(mine.values(sweep_after=SWEPT))
        await delete_rows(database, items_id)
        async with database.write() as connection:
            await connection.execute(delete(_leftovers).where(_leftovers.c.draft_id == items_id))
    return len(found)


async def delete_rows(database: Database, items_id: str, *, besides: int = -1) -> None:
    """All of a draft's rows but those of the revision `besides`, some at a time."""
    keys = select(_items.c.kind, _items.c.item_id).where(_items.c.lexicon_id == items_id, _items.c.revision != besides)
    while True:
        began = monotonic()
        async with database.write() as connection:
            found = [(row.kind, row.item_id) for row in await connection.execute(keys.limit(BATCH))]
            if found:
                await connection.execute(delete(_items).where(_items.c.lexicon_id == items_id, _is_one_of(found)))
        if len(found) < BATCH:
            return
        await breathe(database, began)


async def breathe(database: Database, began: float) -> None:
    """Leaves SQLite to others for twice as long as it was held: who waits there asks again only now and then."""
    if database.is_sqlite:
        held = monotonic() - began
        await asyncio.sleep(min(max(BREATH_SECONDS, 2 * held), LONGEST_BREATH_SECONDS))


def _is_one_of(keys: Iterable[tuple[str, str]]) -> ColumnElement[bool]:
    by_kind: dict[str, list[str]] = {}
    for kind, item_id in keys:
        by_kind.setdefault(kind, []).append(item_id)
    return or_(*(((_items.c.kind == kind) & _items.c.item_id.in_(ids)) for kind, ids in by_kind.items()))
