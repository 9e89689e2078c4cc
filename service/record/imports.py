"""A whole lexicon into a draft at once. What can be made ready before the transaction is, for it holds others up."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
from sqlalchemy import delete, insert

from service.lexicon.overlay import Content
from service.record.database import Store, writing
from service.record.drafts import Author, Item, item_row, items_of, revision_row, upsert_statement
from service.record.lexicon_schema import lexicon_items as _items
from service.record.lexicon_schema import lexicon_revisions as _revisions
from service.record.lexicons import Lexicon, take_revisions

BATCH = 5000
"""Rows in one call of the driver; large files are stored by the workbench, where nobody waits for a turn."""


class Prepared(msgspec.Struct, frozen=True):
    """Content as `import_content` stores it."""

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
        whole = Item(kind="term", id="", body=None, revision=revision)
        row = revision_row(lexicon.id, whole, author) | {"kind": "import", "state": "replaced" if replace else "added"}
        await connection.execute(insert(_revisions), [row | {"body": made.deflated}])
        if replace:
            await connection.execute(delete(_items).where(_items.c.lexicon_id == lexicon.id))
        if not made.rows:
            return revision
        # Compiled once, and given to the driver as it is: half the time of the transaction.
        statement = upsert_statement(connection.dialect, list(made.rows[0]))
        compiled = statement.compile(dialect=connection.dialect, column_keys=list(made.rows[0]))
        names, both = compiled.positiontup or [], {"lexicon_id": lexicon.id, "revision": revision}
        for start in range(0, len(made.rows), BATCH):
            batch = [each | both for each in made.rows[start : start + BATCH]]
            await connection.exec_driver_sql(str(compiled), [tuple(each[name] for name in names) for each in batch])
    return revision
