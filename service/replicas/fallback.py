"""A shared store that may be lost or slow: then this process's own memory answers, and the answer says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from service.errors import Unavailable
from service.replicas.conversation import Attempt, ConversationStore, Recent
from service.replicas.memory import MemoryConversations
from service.replicas.pause import Pause

NOT_REACHABLE = "conversation: redis not reachable"


class FallbackConversations:
    """A ConversationStore over `shared`, which never raises and never waits longer than `timeout` seconds.

    What this process has seen is kept in `own` as well, so that a lost server costs only what other processes saw.
    """

    def __init__(
        self,
        shared: ConversationStore,
        own: MemoryConversations,
        timeout: float,
        time: Callable[[], float] = monotonic,
    ) -> None:
        self._shared = shared
        self._own = own
        self._timeout = timeout
        self._pause = Pause(time)

    @property
    def lost(self) -> bool:
        """The shared store failed, and has not answered since."""
        return self._pause.lost

    async def append(self, attempt: Attempt, now: float) -> Recent:
        recent = self._own.append_now(attempt, now)
        if self._pause.may_ask():
            try:
                async with asyncio.timeout(self._timeout):
                    shared = await self._shared.append(attempt, now)
            except (Unavailable, TimeoutError):
                self._pause.failed()
            else:
                self._pause.answered()
                return shared
        return replace(recent, degraded=(NOT_REACHABLE,))

    async def withdraw(self, attempt: Attempt) -> None:
        self._own.withdraw_now(attempt)
        if self._pause.may_ask():
            try:
                async with asyncio.timeout(self._timeout):
                    await self._shared.withdraw(attempt)
            except (Unavailable, TimeoutError):
                self._pause.failed()

    async def close(self) -> None:
        await self._shared.close()
        await self._own.close()
