"""What is kept only for a while: incidents, the answers stored for retries, what was told to others, samples of
messages, examples of shadows. Deletes in small batches, so that nobody waits for it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from service.clock import Clock
from service.errors import Unavailable
from service.record.database import Database
from service.record.deliveries import purge_deliveries, purge_events
from service.record.large_imports import sweep_leftovers
from service.record.purge import list_tenants, purge_incidents
from service.record.replies import Scope, purge_replies
from service.record.samples import purge_samples, sampled_tenants
from service.record.shadows import exemplified_tenants, purge_shadow_examples
from service.record.tenants import get_settings

BATCH = 1000
PAUSE_SECONDS = 3600.0
INCIDENT_BATCH = 200
BREATH_SECONDS = 0.05
"""Between two batches, for those who write."""
DEAD_DAYS = 90
HOOK_HOURS = 48
"""For which a chat tool's call is known again: none tries for longer than a day, and clients' ids have days of their own."""


async def forget_old_replies(database: Database, clock: Clock, days: int) -> int:
    """Delete the replies to clients older than `days`, and those to chat tools after HOOK_HOURS; how many there were."""
    now, own = clock.now(), timedelta(days=days)
    before: dict[Scope, datetime] = {"message": now - own, "key": now - own, "hook": now - timedelta(hours=HOOK_HOURS)}
    deleted = 0
    for scope, moment in before.items():
        while (batch := await purge_replies(database, scope, moment, BATCH)) == BATCH:
            deleted += batch
        deleted += batch
    return deleted


async def forget_old_incidents(database: Database, clock: Clock, days: int) -> int:
    """Delete the incidents older than `days`, of every tenant; how many there were."""
    before = clock.now() - timedelta(days=days)
    deleted = 0
    for tenant_id in await list_tenants(database):
        while batch := await purge_incidents(database, tenant_id, before, INCIDENT_BATCH):
            deleted += batch
            await asyncio.sleep(BREATH_SECONDS)
    return deleted


async def forget_old_deliveries(database: Database, clock: Clock, days: int) -> None:
    """Delete deliveries that were heard more than `days` ago, those that were given up DEAD_DAYS ago, and their events."""
    now = clock.now()
    heard, dead = now - timedelta(days=days), now - timedelta(days=max(days, DEAD_DAYS))
    while await purge_deliveries(database, heard, dead, BATCH) == BATCH:
        pass
    while await purge_events(database, heard, BATCH) == BATCH:
        pass


async def forget_old_traffic(database: Database, clock: Clock) -> int:
    """Delete the samples and examples that are older than their tenant wants; how many there were."""
    deleted = 0
    for tenants, purge in ((sampled_tenants, purge_samples), (exemplified_tenants, purge_shadow_examples)):
        for tenant_id in await tenants(database):
            days = (await get_settings(database, tenant_id)).settings.sampling.days
            before = clock.now() - timedelta(days=days)
            while True:
                batch = await purge(database, tenant_id, before, BATCH)
                deleted += batch
                if batch < BATCH:
                    break
    return deleted


async def forget_forever(
    database: Database, clock: Clock, days: int, delivery_days: int = 30, incident_days: int = 730
) -> None:
    """Forget what is old now and every hour, until cancelled. A store that is out is tried again an hour later."""
    while True:
        with suppress(Unavailable):
            await forget_old_replies(database, clock, days)
            await forget_old_deliveries(database, clock, delivery_days)
            await forget_old_traffic(database, clock)
            await sweep_leftovers(database, clock.now())
            await forget_old_incidents(database, clock, incident_days)
        await asyncio.sleep(PAUSE_SECONDS)
