"""A shared store that may be lost or slow: then this process's own memory answers, and the answer says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from service.errors import Unavailable
from service.replicas.conversation import Attempt, ConversationStore, Recent
from service.replicas.memory import MemoryConversations

NOT_REACHABLE = "conversation: redis not reachable"
PAUSE = 1.0
"""Seconds after a failure in which nobody asks the shared store; then one message tries it."""


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
        self._time = time
        self._paused_until = float("-inf")

    async def append(self, attempt: Attempt, now: float) -> Recent:
        recent = self._own.append_now(attempt, now)
        if self._may_ask():
            try:
                async with asyncio.timeout(self._timeout):
                    shared = await self._shared.append(attempt, now)
            except (Unavailable, TimeoutError):
                self._pause()
            else:
                self._paused_until = float("-inf")
                return shared
        return replace(recent, degraded=(NOT_REACHABLE,))

    async def withdraw(self, attempt: Attempt) -> None:
        self._own.withdraw_now(attempt)
        if self._may_ask():
            try:
                async with asyncio.timeout(self._timeout):
                    await self._shared.withdraw(attempt)
            except (Unavailable, TimeoutError):
                self._pause()

    async def close(self) -> None:
        await self._shared.close()
        await self._own.close()

    def _may_ask(self) -> bool:
        now = self._time()
        if now < self._paused_until:
            return False
        if self._paused_until > float("-inf"):
            # Only one message at a time finds out whether the store is back.
            self._paused_until = now + PAUSE
        return True

    def _pause(self) -> None:
        self._paused_until = self._time() + PAUSE
