"""Keeps what is wanted of tenants' messages at what is set: how many are sampled, which version runs as a shadow.

In: a tenant with news. Out: a row in `Traffic`, with the shadow's engine compiled beside the one in service.
"""

from __future__ import annotations

from structlog.typing import FilteringBoundLogger

from service.engines import Engines
from service.errors import DataError
from service.record.database import Database
from service.record.policies import list_policies
from service.record.shadows import Shadow, running_shadows
from service.record.tenants import get_settings
from service.record.versions import Placed, list_placed, read_size
from service.traffic import ShadowRun, Traffic, Watched, threshold_of


class Follower:
    """One for each process."""

    def __init__(self, traffic: Traffic, engines: Engines, database: Database, log: FilteringBoundLogger) -> None:
        self._traffic = traffic
        self._engines = engines
        self._database = database
        self._log = log
        self._marks: dict[str, object] = {}

    async def follow(self, tenant_id: str) -> None:
        """Takes in what is set for the tenant now. Raises Unavailable when it can't be read."""
        async with self._database.read() as connection:
            settings = (await get_settings(connection, tenant_id)).settings
            running = await running_shadows(connection, tenant_id)
        threshold = threshold_of(settings.sampling.rate)
        shadow = await self._run_beside(tenant_id, *running[-1]) if running else None
        wanted = threshold > 0 or shadow is not None
        self._traffic.watch(tenant_id, Watched(threshold, shadow) if wanted else None)

    async def _run_beside(self, tenant_id: str, name: str, shadow: Shadow) -> ShadowRun | None:
        """The shadow, compiled anew only where something of the tenant's words or policies has changed."""
        async with self._database.read() as connection:
            others = [each for each in await list_placed(connection, tenant_id) if each.name != name]
            policies = await list_policies(connection, tenant_id)
            size = await read_size(connection, shadow.lexicon_id, shadow.version)
        placed = [*others, Placed(shadow.lexicon_id, name, shadow.version, size)]
        changes = {platform: (each.change, each.revision) for platform, each in policies.items()}
        marks = shadow.id, placed, {platform: each[1] for platform, each in changes.items()}
        present = self._traffic.tenants.get(tenant_id)
        if present is not None and present.shadow is not None and self._marks.get(tenant_id) == marks:
            return present.shadow
        try:
            engine = await self._engines.compile(tenant_id, placed, changes)
        except DataError as error:
            self._log.error("shadow_refused", tenant_id=tenant_id, version=shadow.version, reason=error.detail)
            return None
        self._marks[tenant_id] = marks
        return ShadowRun(shadow.id, tenant_id, engine)
