"""Messages that a tool only announces: fetched behind the answer, checked on the same road, the place kept.

Reading.pull -> a page after the kept cursor -> each message checked -> cursor kept -> the next page
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import httpx
from structlog.typing import FilteringBoundLogger
from uuid_utils import uuid7

from service.api.hooks.connected import Connected
from service.api.hooks.follow import Note, attempts, why_not
from service.api.hooks.tool import Checked, Incoming, Page, Pulling
from service.clock import Clock
from service.errors import Unavailable
from service.record.calls import HookCall
from service.record.database import Database
from service.record.hook_cursors import keep_position, read_position

MOST_PAGES = 100
"""Of one fetch; the next news go on from there."""
MAX_ACCOUNT = 128
Check = Callable[[Sequence[Incoming]], Awaitable[Sequence[Checked]]]
"""Takes messages down the road of all messages; each is noted with the connection's calls there."""


class News:
    """One fetch at a time for each account; news that come meanwhile make it look once more. `close` ends them."""

    def __init__(
        self, database: Database, client: httpx.AsyncClient, note: Note, clock: Clock, log: FilteringBoundLogger
    ) -> None:
        self._database = database
        self._client = client
        self._note = note
        self._clock = clock
        self._log = log
        self._wanted: dict[tuple[str, str], tuple[Connected, Mapping[str, str], Check]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._tokens: dict[str, tuple[int, dict[str, str]]] = {}

    def fetch(self, connected: Connected, what: Mapping[str, str], check: Check) -> None:
        """Begins to; returns at once."""
        key = (connected.connection.id, what.get("account", "")[:MAX_ACCOUNT])
        self._wanted[key] = (connected, what, check)
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._run(key), name="hook-news")

    async def close(self, patience: float) -> None:
        """Lets fetches come to their end for `patience` seconds. What is left is fetched at the next news."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=patience)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, key: tuple[str, str]) -> None:
        try:
            while (wanted := self._wanted.pop(key, None)) is not None:
                connected, what, check = wanted
                try:
                    await self._fetch(connected, what, check, key[1])
                except Exception as error:
                    self._tell(connected, *why_not(error))
        finally:
            self._tasks.pop(key, None)

    async def _fetch(self, connected: Connected, what: Mapping[str, str], check: Check, account: str) -> None:
        for _ in range(MOST_PAGES):
            async for attempt in attempts():
                with attempt:
                    cursor = await read_position(self._database, connected.connection.id, account)
                    page = await self._page(connected, what, cursor)
                    await self._take(connected, page, check)
                    if page.cursor and page.cursor != cursor:
                        await keep_position(self._database, connected.connection.id, account, page.cursor)
            if not page.has_more or page.cursor == cursor:
                return

    async def _page(self, connected: Connected, what: Mapping[str, str], cursor: str) -> Page:
        if connected.tool.pull is None:
            return Page(messages=(), cursor=cursor, has_more=False)
        tokens = self._tokens_of(connected)
        pulling = Pulling(what=what, cursor=cursor, tokens=tokens, client=self._client)
        return await connected.tool.pull(pulling, connected.secret, connected.settings)

    async def _take(self, connected: Connected, page: Page, check: Check) -> None:
        """Raises Unavailable while a message can't be checked and recorded: the page is then fetched again, and those of
        it that were recorded count once.
        """
        # At first the tool hands out what it still has, from before it was connected.
        begin = connected.connection.created_at
        new = [each for each in page.messages if each.sent_at is None or each.sent_at >= begin]
        for checked in await check(new) if new else ():
            if not is_kept(checked):
                raise Unavailable("a message could not be recorded; it is fetched again", retry_after=1)

    def _tell(self, connected: Connected, status: int, reason: str) -> None:
        provider, own_id = connected.tool.provider, connected.connection.id
        self._log.warning("hook_news_failed", provider=provider, connection_id=own_id, why=reason)
        call = HookCall(
            id=str(uuid7()),
            connection_id=own_id,
            at=self._clock.now(),
            verdict="failed",
            status=status,
            messages=0,
            latency_ms=0.0,
            reason=f"fetching messages: {reason}",
        )
        self._note(provider, call)

    def _tokens_of(self, connected: Connected) -> dict[str, str]:
        """Of this revision: with another secret come other tokens."""
        revision = connected.connection.revision
        held = self._tokens.get(connected.connection.id)
        if held is None or held[0] != revision:
            held = self._tokens[connected.connection.id] = (revision, {})
        return held[1]


def is_kept(checked: Checked) -> bool:
    """Whether the message was decided about, and the incident that it may be is durable."""
    outcome = checked.outcome
    return outcome is not None and (outcome.decision == "allow" or outcome.recorded != "none")
