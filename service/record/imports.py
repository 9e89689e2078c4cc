"""A whole lexicon into a draft at once. What can be made ready before the transaction is, for it holds others up.

A small one is stored in one transaction. A large one is written beside the draft, in many short transactions between
which others have their turn, and takes the draft's place in the last one: all of it or nothing, too.
"""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.lexicon.overlay import Content
from service.record.database import Store, writing
from service.record.drafts import Author, Item, item_row, items_of, revision_row, upsert_statement
from service.record.lexicon_schema import lexicon_items as _items
from service.record.lexicon_schema import lexicon_revisions as _revisions
from service.record.lexicons import Lexicon, take_revisions

BATCH = 1000
"""Rows in one call of the driver."""


class Prepared(msgspec.Struct, frozen=True):
    """Content as it is stored."""

    deflated: bytes
    rows: list[dict[str, Any]]


def prepare_content(content: Content) -> Prepared:
    """Slow for a large lexicon; needs no database."""
    return Prepared(zlib.compress(content.canonical(), 1), [item_row("", item) for item in items_of(content)])


async def import_content(store: Store, lexicon: Lexicon, made: Prepared, author: Author, *, replace: bool) -> int:
    """Stores all of the content, as one revision that holds it whole; returns that. All or none; hold the lexicon's lock.

    `replace`: what it does not have goes out of the draft; else it stays.
    """
    async with writing(store) as connection:
        revision = await take_revisions(connection, lexicon, 1)
        await add_revision(connection, lexicon, made, author, revision, replace=replace)
        if replace:
            await connection.execute(delete(_items).where(_items.c.lexicon_id == lexicon.items_id))
        for start in range(0, len(made.rows), BATCH):
            await put_rows(connection, lexicon.items_id, revision, made.rows[start : start + BATCH])
    return revision


async def add_revision(
    connection: AsyncConnection, lexicon: Lexicon, made: Prepared, author: Author, revision: int, *, replace: bool
) -> None:
    """The import as a revision of the draft."""
    whole = Item(kind="term", id="", body=None, revision=revision)
    row = revision_row(lexicon.id, whole, author) | {"kind": "import", "state": "replaced" if replace else "added"}
    await connection.execute(insert(_revisions), [row | {"body": made.deflated}])


async def put_rows(connection: AsyncConnection, items_id: str, revision: int, rows: list[dict[str, Any]]) -> None:
    """Stores some rows over what was there."""
    # Compiled once, and given to the driver as it is: half the time of the transaction.
    compiled = upsert_statement(connection.dialect, list(rows[0])).compile(
        dialect=connection.dialect, column_keys=list(rows[0])
    )
    names, both = compiled.positiontup or [], {"lexicon_id": items_id, "revision": revision}
    batch = [tuple((row | both)[name] for name in names) for row in rows]
    await connection.exec_driver_sql(str(compiled), batch)
