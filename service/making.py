"""What the workbench does for large lexicons: bundles, and the examination of drafts. All of it runs in its process.

Plain arguments in, plain bytes out, and not many of them: taking a large answer apart would hold up whoever asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import TypeVar

import msgspec

from service.draft import Look, Read, look_at, prove_read, read_draft
from service.errors import Unavailable
from service.exchanging import Taken, Upload, give_draft, take_upload
from service.forked import in_two
from service.lexicon.exchange import Encoding, Format
from service.lexicon.overlay import lay_over
from service.prove import Proof
from service.record.database import Database
from service.record.versions import Packed, Placed, layer_of, pack, read_version
from service.workbench import compile_beside, compile_words, my_bundles, my_live

T = TypeVar("T")

_proved: dict[object, Proof] = {}
"""What came of the last examination: who looks at a draft mostly publishes it next."""


class Examined(msgspec.Struct, frozen=True):
    """A draft that was looked at, and how it is stored if it is to be published."""

    look: Look
    packed: Packed


def make_bundle(url: str, tenant_id: str, placed: list[Placed]) -> None:
    """Writes the bundle of these versions. Raises DataError, NotFound, Unavailable."""
    contents = asyncio.run(_with_database(url, lambda database: _read_all(database, placed)))
    overlay = lay_over(
        layer_of(each.name, each.version, content) for each, content in zip(placed, contents, strict=True)
    )
    _write(tenant_id, overlay.version, compile_words(my_live(), overlay))


def examine(
    url: str, tenant_id: str, name: str, today: date, limit: int, to_publish: bool, version: str | None = None
) -> bytes:
    """An `Examined` of the draft, or of a version as if it were the draft, as MessagePack.

    Where it is fit to be published, and is to be, its bundle lies ready.

    Raises NotFound, Unavailable.
    """
    read = asyncio.run(_with_database(url, lambda database: read_draft(database, tenant_id, name, version)))
    look = look_at(read, _prove(read, today), limit)
    if not (to_publish and look.publishable):
        return msgspec.msgpack.encode(Examined(look, Packed(look.draft_version, b"", 0)))
    overlay = lay_over([*(layer_of(*each) for each in read.others), read.draft])
    _write(tenant_id, overlay.version, compile_words(my_live(), overlay))
    return msgspec.msgpack.encode(Examined(look, pack(read.content)))


def take_file(
    url: str, tenant_id: str, key_id: str, name: str, upload: Upload, at: datetime, reason: str | None
) -> Taken:
    """`take_upload` there."""
    return asyncio.run(
        _with_database(url, lambda database: take_upload(database, tenant_id, key_id, name, upload, at, reason))
    )


def give_file(url: str, tenant_id: str, name: str, form: Format, encoding: Encoding) -> tuple[bytes, str]:
    """`give_draft` there."""
    return asyncio.run(_with_database(url, lambda database: give_draft(database, tenant_id, name, form, encoding)))


def _prove(read: Read, today: date) -> Proof:
    """Once for one state of the draft and of what is around it."""
    versions = tuple(each[1] for each in read.others)
    policies = tuple((platform, each.revision) for platform, each in sorted(read.policies.items()))
    key = (read.lexicon.id, read.draft.version, versions, policies, read.cases, today)
    if key not in _proved:
        _proved.clear()
        _proved[key] = prove_read(my_live(), read, today, compile_beside, in_two)
    return _proved[key]


def _write(tenant_id: str, version: str, sections: Mapping[str, bytes]) -> None:
    try:
        my_bundles().write(tenant_id, my_live().key_of(version), sections)
    except OSError as error:
        raise Unavailable(f"the bundle can't be written ({error.strerror}); see to the data folder") from error


async def _read_all(database: Database, placed: list[Placed]) -> list[bytes]:
    return [await read_version(database, each.lexicon_id, each.version) for each in placed]


async def _with_database(url: str, use: Callable[[Database], Awaitable[T]]) -> T:
    database = await Database.open(url)
    try:
        return await use(database)
    finally:
        await database.close()
