"""What was read from the store a moment ago, so that the hot road need not ask again for each message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache, TTLCache

from service.errors import Unavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by key, read anew after `seconds`.

    While the store is out, the value that was known last is served instead, for decisions must go on; only what was
    never read raises Unavailable.
    """

    def __init__(self, read: Callable[[K], Awaitable[V]], seconds: float, size: int = 10_000) -> None:
        self._read = read
        self._fresh: TTLCache[K, V] = TTLCache(size, seconds)
        self._last: LRUCache[K, V] = LRUCache(size)

    async def get(self, key: K) -> V:
        try:
            return self._fresh[key]
        except KeyError:
            pass
        try:
            value = await self._read(key)
        except Unavailable:
            if key in self._last:
                return self._last[key]
            raise
        self._fresh[key] = self._last[key] = value
        return value

    def forget(self) -> None:
        """Every next `get` reads anew."""
        self._fresh.clear()
        self._last.clear()
