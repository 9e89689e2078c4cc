"""How many messages a key has sent lately: counted in Redis for all replicas together, and in this process's own memory.

A key's window begins with its first request and is over after the limit's time. Without Redis, or while it is lost, each
process lets the whole rate pass by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from cachetools import LRUCache
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from service.errors import Unavailable
from service.replicas.pause import Pause

NOT_REACHABLE = "rate limit: redis not reachable"


class SharedRates(Protocol):
    """Counts that several processes keep together."""

    async def hit(self, key: str, milliseconds: int, count: int = 1) -> tuple[int, int]:
        """Counts so many; gives how many there are in the window, and the milliseconds until it ends. Raises Unavailable."""

    async def give_back(self, key: str, milliseconds: int, count: int) -> None:
        """Counts so many less, in a window that ends in `milliseconds`. Raises Unavailable."""

    async def close(self) -> None:
        """Gives back what it holds."""


class Rates:
    """Whether a key may ask once more. Never raises, and never waits longer than `timeout` seconds."""

    def __init__(
        self, shared: SharedRates | None = None, timeout: float = 0.0, time: Callable[[], float] = monotonic
    ) -> None:
        self._shared = shared
        self._timeout = timeout
        self._pause = Pause(time)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._limits: LRUCache[str, RateLimitItem] = LRUCache(1000)

    @property
    def lost(self) -> bool:
        """This process counts for itself although it should not."""
        return self._pause.lost

    async def hit(self, key_id: str, notation: str, count: int = 1) -> float:
        """Counts messages of a key with the limit `notation`; 0 when all may come in, else the seconds to wait.

        Several that are too many together are not counted: the rest of the window is for smaller ones.
        """
        limit = self._limits.get(notation)
        if limit is None:
            limit = self._limits[notation] = parse(notation)
        # Counted here, too, so that a lost server does not open the door once more.
        mine = (count == 1 or await self._own.test(limit, key_id, cost=count)) and await self._own.hit(
            limit, key_id, cost=count
        )
        if self._shared is not None and self._pause.may_ask():
            name = f"{key_id}:{notation}"
            try:
                async with asyncio.timeout(self._timeout):
                    number, left = await self._shared.hit(name, limit.get_expiry() * 1000, count)
                    if count > 1 and number > limit.amount:
                        await self._shared.give_back(name, max(left, 1), count)
            except (Unavailable, TimeoutError):
                self._pause.failed()
            else:
                self._pause.answered()
                return 0.0 if number <= limit.amount else max(left, 1) / 1000
        if mine:
            return 0.0
        window = await self._own.get_window_stats(limit, key_id)
        return max(window.reset_time - time.time(), 0.001)

    async def close(self) -> None:
        if self._shared is not None:
            await self._shared.close()
