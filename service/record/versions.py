"""Published versions of a lexicon: named by the hash of their content, never changed, put in service and taken out again."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import func, insert, select, update
from uuid_utils import uuid7

from service.errors import Conflict, NotFound
from service.lexicon.overlay import Content, Layer, version_of
from service.record.announce import announce_publication
from service.record.cursor import key_cursor, read_key_cursor
from service.record.database import Store, insert_new, reading, writing
from service.record.drafts import Author
from service.record.lexicon_schema import lexicon_publications as _publications
from service.record.lexicon_schema import lexicon_versions as _versions
from service.record.lexicon_schema import lexicons as _lexicons
from service.record.lexicons import Lexicon, in_service
from service.record.news import tell


class Packed(msgspec.Struct, frozen=True):
    """Content as it is stored."""

    version: str
    deflated: bytes
    size: int


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a version went into service."""

    id: str
    version: str
    action: Literal["publish", "rollback"]
    key_id: str
    note: str | None
    at: datetime


def pack(content: Content) -> Packed:
    """Slow for a large lexicon; needs no database."""
    canonical = content.canonical()
    size = len(content.terms) + len(content.exceptions) + len(content.terms_off) + len(content.exceptions_off)
    return Packed(version_of(canonical), zlib.compress(canonical, 6), size)


def unpack(deflated: bytes) -> Content:
    return msgspec.json.decode(zlib.decompress(deflated), type=Content)


async def publish(
    store: Store, lexicon: Lexicon, packed: Packed, author: Author, note: str | None, *, revision: int
) -> Publication:
    """Puts the content in service: stored, named, told to the workers, all in one transaction.

    `revision` is the draft's that the content was read from. Hold the lexicon's lock. Raises Conflict when the draft has
    changed since.
    """
    if lexicon.revision != revision:
        raise Conflict("the draft was changed while it was being checked; publish again", code="draft_changed")
    async with writing(store) as connection:
        await keep_version(connection, lexicon, packed, author.at)
        return await _put_in_service(connection, lexicon, packed.version, "publish", author, note, revision)


async def keep_version(store: Store, lexicon: Lexicon, packed: Packed, at: datetime) -> None:
    """Stores the content under its name; nothing happens where it is there already."""
    async with writing(store) as connection:
        row = {"lexicon_id": lexicon.id, "version": packed.version, "content": packed.deflated}
        kept = insert_new(_versions, connection.dialect)
        await connection.execute(kept.values(row | {"size": packed.size, "created_at": at}))


async def promote(
    store: Store, lexicon: Lexicon, version: str, author: Author, note: str | None, *, revision: int | None
) -> Publication:
    """Puts a version in service that was kept before. `revision`: the draft's that it was made of, if it was."""
    return await _put_in_service(store, lexicon, version, "publish", author, note, revision)


async def roll_back(
    store: Store, lexicon: Lexicon, version: str | None, author: Author, note: str | None
) -> Publication:
    """Puts an earlier version in service again; None: the one before the present one was published. The draft
    stays as it is.

    Raises NotFound for a version that never was in service, Conflict when there is none before, or it is the present one.
    """
    async with writing(store) as connection:
        if version is None:
            version = await version_before(connection, lexicon)
        mine = (_publications.c.lexicon_id == lexicon.id, _publications.c.version == version)
        if (await connection.execute(select(_publications.c.id).where(*mine).limit(1))).one_or_none() is None:
            raise NotFound(
                f"{lexicon.name} has no version {version}; GET /v1/lexicons/{lexicon.name}/versions lists them"
            )
        if version == lexicon.published_version:
            raise Conflict(f"{lexicon.name} serves version {version} already", code="in_service")
        return await _put_in_service(connection, lexicon, version, "rollback", author, note, None)


async def list_publications(
    store: Store, lexicon_id: str, *, limit: int, cursor: str | None = None
) -> tuple[list[Publication], str | None]:
    """At most `limit`, newest first, and the cursor of the next page or None. Raises Malformed for a broken cursor."""
    query = select(_publications).where(_publications.c.lexicon_id == lexicon_id)
    if cursor is not None:
        query = query.where(_publications.c.id < read_key_cursor(cursor, 1)[0])
    async with reading(store) as connection:
        rows = await connection.execute(query.order_by(_publications.c.id.desc()).limit(limit + 1))
        found = [msgspec.convert(row, Publication, from_attributes=True) for row in rows]
    if len(found) <= limit:
        return found, None
    return found[:limit], key_cursor(found[limit - 1].id)


async def read_version(store: Store, lexicon_id: str, version: str) -> bytes:
    """The content of a version, as `unpack` takes it. Raises NotFound."""
    query = select(_versions.c.content).where(_versions.c.lexicon_id == lexicon_id, _versions.c.version == version)
    async with reading(store) as connection:
        found: bytes | None = (await connection.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no version {version}")
    return found


async def read_published(store: Store, lexicon: Lexicon) -> Content:
    """What is in service; empty when nothing was published."""
    if lexicon.published_version is None:
        return Content()
    return unpack(await read_version(store, lexicon.id, lexicon.published_version))


async def read_layers(store: Store, tenant_id: str) -> list[tuple[str, str, bytes]]:
    """Name, version and packed content of all that is in service, as of one moment."""
    async with reading(store) as connection:
        return [
            (
                lexicon.name,
                lexicon.published_version or "",
                await read_version(connection, lexicon.id, lexicon.published_version or ""),
            )
            for lexicon in await in_service(connection, tenant_id)
        ]


class Placed(msgspec.Struct, frozen=True):
    """A version of a lexicon that is, or is to be, in service."""

    lexicon_id: str
    name: str
    version: str
    size: int


async def list_placed(store: Store, tenant_id: str) -> list[Placed]:
    """All that is in service, without its words, as of one moment."""
    async with reading(store) as connection:
        return [
            Placed(lexicon.id, lexicon.name, version, await read_size(connection, lexicon.id, version))
            for lexicon in await in_service(connection, tenant_id)
            if (version := lexicon.published_version)
        ]


async def read_size(store: Store, lexicon_id: str, version: str) -> int:
    """How many terms and exceptions a version has. Raises NotFound."""
    query = select(_versions.c.size).where(_versions.c.lexicon_id == lexicon_id, _versions.c.version == version)
    async with reading(store) as connection:
        found: int | None = (await connection.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no version {version}")
    return found


def layer_of(name: str, version: str, deflated: bytes) -> Layer:
    """Slow for a large lexicon."""
    return Layer(name, version, unpack(deflated))


async def _put_in_service(
    store: Store,
    lexicon: Lexicon,
    version: str,
    action: Literal["publish", "rollback"],
    author: Author,
    note: str | None,
    revision: int | None,
) -> Publication:
    made = Publication(id=str(uuid7()), version=version, action=action, key_id=author.key_id, note=note, at=author.at)
    changes = {"published_version": version, "published_revision": revision, "published_at": author.at}
    async with writing(store) as connection:
        await connection.execute(
            insert(_publications).values(msgspec.structs.asdict(made) | {"lexicon_id": lexicon.id})
        )
        await connection.execute(update(_lexicons).where(_lexicons.c.id == lexicon.id).values(changes))
        await announce_publication(
            connection, lexicon.tenant_id, lexicon.name, version, action, author.key_id, author.at
        )
        await tell(connection, lexicon.tenant_id)
    return made


async def version_before(store: Store, lexicon: Lexicon) -> str:
    """What was in service before the present version was published.

    Never what was rolled back from: two people who both roll back at night do not bring the bad version back.
    """
    mine = _publications.c.lexicon_id == lexicon.id
    published = select(func.max(_publications.c.id)).where(
        mine, _publications.c.version == lexicon.published_version, _publications.c.action == "publish"
    )
    async with reading(store) as connection:
        query = (
            select(_publications.c.version)
            .where(mine, _publications.c.version != lexicon.published_version)
            .where(_publications.c.id < published.scalar_subquery())
            .order_by(_publications.c.id.desc())
            .limit(1)
        )
        found: str | None = (await connection.execute(query)).scalar_one_or_none()
    if found is None:
        raise Conflict(f"{lexicon.name} has no version before this one", code="no_earlier_version")
    return found
