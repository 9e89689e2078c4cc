"""Keeps a worker's engines at what is in service: whatever was published is compiled beside the old one and swapped in.

In: the news of the database. Out: engines in `Live`, and for everybody to read which version this worker serves. What
cannot be compiled never takes the place of what works.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import monotonic

from structlog.typing import FilteringBoundLogger
from uuid_utils import uuid7

from service.clock import Clock
from service.engine import Engine
from service.engines import Engines
from service.errors import DataError, Unavailable
from service.record.bell import Bell
from service.record.database import Database
from service.record.news import news_since
from service.record.policies import list_policies
from service.record.versions import list_placed
from service.record.workers import Serving, Worker, leave, say_serving, show_up

Follow = Callable[[str], Awaitable[None]]
RETRY_SECONDS = 0.5
BEAT_SECONDS = 5.0
PATIENCE_SECONDS = 0.25
"""How long others wait for one tenant's words, before these are made ready beside."""


class Watch:
    """One worker's eye on the news. `start` before the first message, `close` after the last."""

    def __init__(
        self,
        engines: Engines,
        database: Database,
        bell: Bell,
        clock: Clock,
        log: FilteringBoundLogger,
        followers: Sequence[Follow] = (),
    ) -> None:
        """`followers` are told the tenants of whom there is news, after the new engine is in service."""
        self.worker_id = str(uuid7())
        self.engines = engines
        self._live = engines.live
        self._database = database
        self._bell = bell
        self._clock = clock
        self._log = log
        self._started_at = clock.now()
        self._followers = followers
        self._number = 0
        self._composed: dict[str, object] = {}
        self._turn = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._late: dict[str, asyncio.Task[None]] = {}
        """Tenants whose words take long; until they are ready those before serve."""

    async def start(self) -> None:
        """Takes in all that is in service. Raises Unavailable when it can't be read."""
        await self._show_up()
        await self._take_in_all(None)
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._beat())]

    @property
    def number(self) -> int:
        """Of the last news that was taken in."""
        return self._number

    async def close(self) -> None:
        """Stops following, and signs off."""
        tasks = [*self._tasks, *self._late.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._bell.close()
        with suppress(Unavailable):
            await leave(self._database, self.worker_id)

    async def catch_up(self, of: str | None = None) -> None:
        """Takes in all news up to now; what takes long goes on afterwards, unless it is of the tenant `of`.

        Raises Unavailable when they can't be read.
        """
        await self._take_in_all(PATIENCE_SECONDS)
        late = None if of is None else self._late.get(of)
        if late is not None:
            await asyncio.wait({late})

    async def _take_in_all(self, patience: float | None) -> None:
        async with self._turn:
            changed = await news_since(self._database, self._number)
            for tenant_id, number in sorted(changed.items(), key=lambda each: each[1]):
                await self._take_in(tenant_id, number, patience)
                self._number = max(self._number, number)

    async def _take_in(self, tenant_id: str, number: int, patience: float | None) -> None:
        task = asyncio.create_task(self._renew_surely(tenant_id, number, self._late.get(tenant_id)))
        try:
            await asyncio.wait({task}, timeout=patience)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done():
            return task.result()
        self._log.info("version_late", tenant_id=tenant_id, number=number, worker_id=self.worker_id)
        self._late[tenant_id] = task
        task.add_done_callback(lambda done: self._late.get(tenant_id) is done and self._late.pop(tenant_id))
        return None

    async def _renew_surely(self, tenant_id: str, number: int, before: asyncio.Task[None] | None) -> None:
        """After `before`, so that the newest comes last; again and again where nobody waits for it any more."""
        if before is not None:
            await asyncio.wait({before})
        while True:
            try:
                return await self._renew(tenant_id, number)
            except (OSError, Unavailable):
                if self._late.get(tenant_id) is not asyncio.current_task():
                    raise
                await asyncio.sleep(RETRY_SECONDS)

    async def _renew(self, tenant_id: str, number: int) -> None:
        problem, began = None, monotonic()
        try:
            self._live.swap(tenant_id, await self._compile(tenant_id))
        except DataError as error:
            problem = error.detail
            self._log.error("version_refused", tenant_id=tenant_id, worker_id=self.worker_id)
        else:
            self._log.info(
                "version_live",
                tenant_id=tenant_id,
                version=self._live.engine_for(tenant_id).lexicon_version,
                number=number,
                worker_id=self.worker_id,
                seconds=round(monotonic() - began, 3),
            )
        for follow in self._followers:
            await follow(tenant_id)
        serving = Serving(
            worker_id=self.worker_id,
            tenant_id=tenant_id,
            lexicon_version=self._live.engine_for(tenant_id).lexicon_version,
            number=number,
            since=self._clock.now(),
            problem=problem,
        )
        await say_serving(self._database, serving)

    async def _compile(self, tenant_id: str) -> Engine:
        async with self._database.read() as connection:
            placed = await list_placed(connection, tenant_id)
            policies = await list_policies(connection, tenant_id)
        marks = placed, {platform: found.revision for platform, found in policies.items()}
        if self._composed.get(tenant_id) == marks:
            # The news is of something else, such as a shop.
            return self._live.engine_for(tenant_id)
        changes = {platform: (found.change, found.revision) for platform, found in policies.items()}
        engine = await self.engines.engine_of(tenant_id, placed, changes)
        self._composed[tenant_id] = marks
        return engine

    async def _follow(self) -> None:
        while True:
            try:
                await self._bell.wait(self._number)
                await self.catch_up()
            except (OSError, Unavailable):
                await asyncio.sleep(RETRY_SECONDS)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            with suppress(Unavailable):
                await self._show_up()

    async def _show_up(self) -> None:
        worker = Worker(
            id=self.worker_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=self._started_at,
            seen_at=self._clock.now(),
        )
        await show_up(self._database, worker)
