"""What is kept only for a while: the answers stored for retries, and what was
told to others. Deletes in small batches, so that nobody waits for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from service.clock import Clock
from service.errors import Unavailable
from service.record.database import Database
from service.record.deliveries import purge_deliveries, purge_events
from service.record.replies import purge_replies

BATCH = 1000
PAUSE_SECONDS = 3600.0
DEAD_DAYS = 90


async def forget_old_replies(database: Database, clock: Clock, days: int) -> int:
    """Delete the replies older than `days`; how many there were."""
    before = clock.now() - timedelta(days=days)
    deleted = 0
    while True:
        batch = await purge_replies(database, before, BATCH)
        deleted += batch
        if batch < BATCH:
            return deleted


async def forget_old_deliveries(database: Database, clock: Clock, days: int) -> None:
    """Delete deliveries that were heard more than `days` ago, those that were given up DEAD_DAYS ago, and their events."""
    now = clock.now()
    heard, dead = now - timedelta(days=days), now - timedelta(days=max(days, DEAD_DAYS))
    while await purge_deliveries(database, heard, dead, BATCH) == BATCH:
        pass
    while await purge_events(database, heard, BATCH) == BATCH:
        pass


async def forget_forever(database: Database, clock: Clock, days: int, delivery_days: int = 30) -> None:
    """Forget old replies and deliveries now and every hour, until cancelled. A store that is out is tried again an hour later."""
    while True:
        with suppress(Unavailable):
            await forget_old_replies(database, clock, days)
            await forget_old_deliveries(database, clock, delivery_days)
        await asyncio.sleep(PAUSE_SECONDS)
