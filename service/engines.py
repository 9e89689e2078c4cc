"""Gets a tenant's engine ready: small ones are compiled here, large ones are mapped from a bundle that the workbench makes.

So what this process does for a large lexicon takes milliseconds, whatever its size, and nobody who waits for a decision
waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from service.bundles import Bundles
from service.engine import Engine
from service.errors import DataError
from service.lexicon.changes import PolicyChange
from service.lexicon.overlay import name_layers
from service.live import LARGE, Live
from service.making import make_bundle
from service.record.database import Database
from service.record.versions import Placed, layer_of, read_version
from service.vocabulary import Platform
from service.workbench import Workbench

Changes = Mapping[Platform, tuple[PolicyChange, int]]


class Engines:
    """The way to them. `url` is the database's, for the workbench to read there by itself."""

    def __init__(self, live: Live, database: Database, url: str, bundles: Bundles, workbench: Workbench) -> None:
        self.live = live
        self._database = database
        self._url = url
        self._bundles = bundles
        self._workbench = workbench

    async def engine_of(self, tenant_id: str, placed: Sequence[Placed], changes: Changes) -> Engine:
        """The engine of a tenant with these lexicons and policies; the one in service is used again where only those differ.

        Raises as `compile` does.
        """
        return self.live.keep(tenant_id, version_of_all(placed), changes) or await self.compile(
            tenant_id, placed, changes
        )

    async def compile(self, tenant_id: str, placed: Sequence[Placed], changes: Changes) -> Engine:
        """The same, whatever is in service.

        Raises DataError for words that can't be compiled, Unavailable when the workbench died.
        """
        if not is_large(placed):
            packed = [(each.name, each.version, await self._read(each)) for each in placed]
            return await asyncio.to_thread(lambda: self.live.compose([layer_of(*each) for each in packed], changes))
        key = await asyncio.to_thread(self.live.key_of, version_of_all(placed))
        sections = await asyncio.to_thread(self._bundles.open, tenant_id, key)
        if sections is None:
            await self._workbench.run(make_bundle, self._url, tenant_id, list(placed))
            sections = await asyncio.to_thread(self._bundles.open, tenant_id, key)
        if sections is None:
            raise DataError("the bundle can't be kept; see that the data folder can be written and is not full")
        return await asyncio.to_thread(self.live.open, tenant_id, sections, changes)

    async def prepare(self, tenant_id: str, placed: Sequence[Placed]) -> None:
        """Sees that `engine_of` will not have to compile. Raises as that does."""
        key = await asyncio.to_thread(self.live.key_of, version_of_all(placed))
        if is_large(placed) and not await asyncio.to_thread(self._bundles.has, tenant_id, key):
            await self._workbench.run(make_bundle, self._url, tenant_id, list(placed))

    def is_ready(self, tenant_id: str, placed: Sequence[Placed]) -> bool:
        """Whether `engine_of` will be quick."""
        return not is_large(placed) or self._bundles.has(tenant_id, self.live.key_of(version_of_all(placed)))

    async def _read(self, placed: Placed) -> bytes:
        return await read_version(self._database, placed.lexicon_id, placed.version)


def version_of_all(placed: Sequence[Placed]) -> str:
    """What the overlay of all of them is called."""
    return name_layers((each.name, each.version) for each in placed)


def is_large(placed: Sequence[Placed]) -> bool:
    return sum(each.size for each in placed) >= LARGE
