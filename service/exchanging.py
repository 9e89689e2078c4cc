"""A file into a draft, and a draft as a file: what the routes, and for large ones the workbench, do with them."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Malformed, Problem
from service.lexicon.exchange import Encoding, Format, Reading, WordDefaults, read_file, write_file
from service.lexicon.overlay import version_of
from service.record.audit import add_entry
from service.record.database import Database
from service.record.drafts import Author, read_content
from service.record.imports import Prepared, import_content, prepare_content
from service.record.large_imports import import_large, sweep_leftovers
from service.record.lexicons import Lexicon, get_lexicon

MAX_SHOWN = 200
"""Refused lines that an answer names."""
LARGE_IMPORT = 2_000
"""Terms and exceptions from which on they are stored in several transactions."""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file and how it is to be taken."""

    data: bytes
    form: Format
    encoding: Encoding
    defaults: WordDefaults | None
    replace: bool
    partial: bool


class Taken(msgspec.Struct, frozen=True):
    """What became of it."""

    lines: int
    taken: int
    revision: int
    refused: list[tuple[int, str]]
    """Line and reason of the first of them."""
    refused_count: int


def read_upload(upload: Upload) -> tuple[Reading, Prepared]:
    """Slow for a large file. Raises Malformed for one that can't be taken, with its lines."""
    reading = read_file(upload.data, upload.form, upload.encoding, upload.defaults)
    if reading.refused and not upload.partial:
        problems = [Problem("", f"line {each.line}: {each.reason}") for each in reading.refused[:MAX_SHOWN]]
        raise Malformed(
            f"{len(reading.refused)} of {reading.lines} lines can't be taken, so none was; "
            "mend them, or add ?partial=true",
            problems=problems,
        )
    if not reading.lines and not upload.replace:
        raise Malformed("The file holds no entries.")
    return reading, prepare_content(reading.content)


async def take_upload(
    database: Database, tenant_id: str, key_id: str, name: str, upload: Upload, at: datetime, reason: str | None
) -> Taken:
    """Stores what the file holds, with its audit entry. Raises Malformed, NotFound."""
    reading, prepared = await asyncio.to_thread(read_upload, upload)
    taken = reading.lines - len(reading.refused)
    author, mode = Author(key_id, at, reason), "replace" if upload.replace else "merge"

    async def note(connection: AsyncConnection, lexicon: Lexicon, revision: int) -> None:
        await add_entry(
            connection,
            tenant_id,
            key_id,
            at,
            "lexicon.import",
            name,
            before={"revision": lexicon.revision},
            after={"revision": revision, "taken": taken, "refused": len(reading.refused), "mode": mode},
            reason=reason,
        )

    if len(prepared.rows) >= LARGE_IMPORT:
        revision = await import_large(database, tenant_id, name, prepared, author, replace=upload.replace, note=note)
        await sweep_leftovers(database, at)
    else:
        async with database.write() as connection:
            lexicon = await get_lexicon(connection, tenant_id, name, lock=True)
            revision = await import_content(connection, lexicon, prepared, author, replace=upload.replace)
            await note(connection, lexicon, revision)
    refused = [(each.line, each.reason) for each in reading.refused[:MAX_SHOWN]]
    return Taken(reading.lines, taken, revision, refused, len(reading.refused))


async def give_draft(
    database: Database, tenant_id: str, name: str, form: Format, encoding: Encoding
) -> tuple[bytes, str]:
    """The draft as a file, and its version. Raises NotFound."""
    async with database.read() as connection:
        lexicon = await get_lexicon(connection, tenant_id, name)
        content = await read_content(connection, lexicon.items_id)
    data = await asyncio.to_thread(write_file, content, form, encoding)
    return data, await asyncio.to_thread(lambda: version_of(content.canonical()))
