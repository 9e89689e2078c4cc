"""What the connections share while the service runs: those that there are, their journal, and what goes on behind answers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx
from structlog.typing import FilteringBoundLogger

from service import __version__
from service.api.hooks.connected import Connections
from service.api.hooks.follow import FollowUps
from service.api.hooks.journal import CallJournal
from service.api.hooks.news import News
from service.clock import Clock
from service.figures import Figures
from service.outbound.addresses import Network, permit
from service.outbound.transport import CheckedTransport
from service.record.database import Database
from service.record.sealed import Sealer

T = TypeVar("T")
CLOSE_SECONDS = 2.0
REQUEST_SECONDS = 10.0
"""Of one request to a tool."""


class Hooks:
    """`start` before the first call; `close` after the last, while the store and the pipeline still work."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        figures: Figures,
        clock: Clock,
        log: FilteringBoundLogger,
        networks: tuple[Network, ...] = (),
    ) -> None:
        """`networks`: private ones in which tools may stand."""
        self.connections = Connections(database, sealer, log)
        self.journal = CallJournal(database, figures)
        self.client = httpx.AsyncClient(
            transport=CheckedTransport(permit(networks)),
            timeout=REQUEST_SECONDS,
            headers={"User-Agent": f"shenyan/{__version__}"},
            trust_env=False,
            # One connection's session is nothing that another's may use.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )
        self.follow_ups = FollowUps(self.client, self.journal.note, clock, log)
        self.news = News(database, self.client, self.journal.note, clock, log)
        self._roads: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Raises Unavailable when the store does not answer."""
        await self.connections.start()
        self.journal.start()

    async def close(self) -> None:
        """Lets what is under way come to its end, for a while."""
        await self.connections.close()
        await self.news.close(CLOSE_SECONDS)
        if self._roads:
            await asyncio.wait(set(self._roads), timeout=CLOSE_SECONDS)
        await self.follow_ups.close(CLOSE_SECONDS)
        await self.journal.close()
        await self.client.aclose()

    def launch(self, road: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begins what goes on when the answer has been given."""
        task = asyncio.create_task(road)
        self._roads.add(task)
        task.add_done_callback(self._roads.discard)
        # Whoever waits for it hears of its error; when nobody does any more, nobody need.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task
