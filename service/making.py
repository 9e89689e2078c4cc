"""What the workbench does for large lexicons: bundles, and the examination of drafts. All of it runs in its process.

Plain arguments in, plain bytes out, and not many of them: taking a large answer apart would hold up whoever asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import TypeVar

import msgspec

from service.draft import Look, Read, look_at, read_draft
from service.engine import Engine
from service.errors import Unavailable
from service.lexicon.overlay import Overlay, lay_over
from service.live import Live
from service.record.database import Database
from service.record.versions import Packed, Placed, layer_of, pack, read_version, unpack
from service.workbench import my_bundles, my_live

T = TypeVar("T")

_packed: dict[str, dict[str, bytes]] = {}
"""The last words that were compiled, by the bundle's key: who looks at a draft mostly publishes it next."""


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
    url: str, tenant_id: str, name: str, today: date, limit: int, to_publish: bool, version: str | None
) -> bytes:
    """An `Examined`, as MessagePack. Where it is fit to be published, and is to be, its bundle lies ready.

    `version`: one that was kept, in place of the draft. Raises NotFound, Unavailable.
    """
    read = asyncio.run(_with_database(url, lambda database: read_to_examine(database, tenant_id, name, version)))
    look = look_at(my_live(), read, today, limit, compile_beside)
    if not (to_publish and look.publishable):
        return msgspec.msgpack.encode(Examined(look, Packed(look.draft_version, b"", 0)))
    overlay = lay_over([*(layer_of(*each) for each in read.others), read.draft])
    _write(tenant_id, overlay.version, compile_words(my_live(), overlay))
    return msgspec.msgpack.encode(Examined(look, pack(read.content)))


async def read_to_examine(database: Database, tenant_id: str, name: str, version: str | None) -> Read:
    """The draft, or a version as if it were the draft. Raises NotFound."""
    read = await read_draft(database, tenant_id, name)
    if version is None:
        return read
    return replace(read, content=unpack(await read_version(database, read.lexicon.id, version)))


def compile_beside(live: Live, overlay: Overlay) -> Engine:
    """The engine of a draft, read from its words as they would be stored: what is proved is what will decide."""
    if not overlay.version:
        return live.engine
    return live.engine.open({name: memoryview(data) for name, data in compile_words(live, overlay).items()}, {})


def compile_words(live: Live, overlay: Overlay) -> dict[str, bytes]:
    key = live.key_of(overlay.version)
    if key not in _packed:
        _packed.clear()
        _packed[key] = live.engine.pack(overlay)
    return _packed[key]


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
