"""What the connections share while the service runs: those that there are, their journal, and what goes on behind answers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx
import stamina
from structlog.typing import FilteringBoundLogger

from service import __version__
from service.api.hooks.connected import Connected, Connections
from service.api.hooks.journal import CallJournal
from service.api.hooks.tool import Checked, FollowUp
from service.api.log import place_of_crash
from service.figures import Figures
from service.record.database import Database
from service.record.sealed import Sealer

T = TypeVar("T")
CLOSE_SECONDS = 3.0
FOLLOW_UP_SECONDS = 10.0
"""Of one request to a tool."""
FOLLOW_UP_TRIES = 4
MOST_FOLLOW_UPS = 1000


class Hooks:
    """`start` before the first call; `close` after the last, while the store and the pipeline still work."""

    def __init__(self, database: Database, sealer: Sealer, figures: Figures, log: FilteringBoundLogger) -> None:
        self.connections = Connections(database, sealer, log)
        self.journal = CallJournal(database, figures)
        self._log = log
        self._roads: set[asyncio.Task[Any]] = set()
        self._follow_ups: set[asyncio.Task[None]] = set()
        self._client = httpx.AsyncClient(
            timeout=FOLLOW_UP_SECONDS,
            headers={"User-Agent": f"shenyan/{__version__}"},
            trust_env=False,
            # One connection's session is nothing that another's may use.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def start(self) -> None:
        await self.connections.start()
        self.journal.start()

    async def close(self) -> None:
        """Lets what is under way come to its end, for a while."""
        await self.connections.close()
        if under_way := [*self._roads, *self._follow_ups]:
            await asyncio.wait(under_way, timeout=CLOSE_SECONDS)
        for task in [*self._roads, *self._follow_ups]:
            task.cancel()
        await self.journal.close()
        await self._client.aclose()

    def launch(self, road: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begins what goes on when the answer has been given."""
        task = asyncio.create_task(road)
        self._roads.add(task)
        task.add_done_callback(self._roads.discard)
        # Whoever waits for it hears of its error; when nobody does any more, nobody need.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def follow_up(self, connected: Connected, checked: Checked) -> None:
        """A note or a retraction in the tool, where it can and is told to, once for each message."""
        outcome, follow_up = checked.outcome, connected.tool.follow_up
        if follow_up is None or outcome is None or outcome.decision == "allow" or outcome.replayed:
            return
        if len(self._follow_ups) < MOST_FOLLOW_UPS:
            task = asyncio.create_task(self._follow(follow_up, connected, checked))
            self._follow_ups.add(task)
            task.add_done_callback(self._follow_ups.discard)

    async def _follow(self, follow_up: FollowUp, connected: Connected, checked: Checked) -> None:
        about = {"connection_id": connected.connection.id, "provider": connected.connection.provider}
        try:
            async for attempt in stamina.retry_context(on=_worth_retrying, attempts=FOLLOW_UP_TRIES, wait_max=30):
                with attempt:
                    await follow_up(checked, connected.secret, connected.settings, self._client)
        except httpx.HTTPError as error:
            self._log.warning("follow_up_failed", why=_why(error), **about)
        except Exception as error:
            self._log.warning("follow_up_failed", **place_of_crash(error), **about)


def _worth_retrying(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == 429 or error.response.status_code >= 500
    return isinstance(error, httpx.TransportError)


def _why(error: httpx.HTTPError) -> str:
    """Never the error's own text: an address may hold a token."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"answered {error.response.status_code}"
    return type(error).__name__
