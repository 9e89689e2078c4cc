"""What was read from the store a moment ago, so that the hot road need not ask again for each message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

from cachetools import LRUCache

from service.errors import Unavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

PATIENCE = 1.0
"""Seconds to wait for the store where an older value is known."""


class Remembered(Generic[K, V]):
    """Values by key, never older than `seconds` while the store answers.

    From half that age on, a value is read anew in the background, so that a busy key never waits; callers that do wait
    share one read. While the store is out the value known last is served, for decisions must go on.
    """

    def __init__(self, read: Callable[[K], Awaitable[V]], seconds: float, size: int = 10_000) -> None:
        self._read = read
        self._seconds = seconds
        self._known: LRUCache[K, tuple[V, float]] = LRUCache(size)
        self._reading: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, patience: float = PATIENCE) -> V:
        """Raises Unavailable when the store is out and the value was never read."""
        known = self._known.get(key)
        if known is None:
            return await asyncio.shield(self._start(key))
        value, at = known
        age = monotonic() - at
        if age < self._seconds / 2:
            return value
        reading = self._start(key)
        if age < self._seconds:
            return value
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(reading)
        except TimeoutError:
            return value

    def forget(self, matching: Callable[[K], bool] = lambda _: True) -> None:
        """Every next `get` reads anew; `matching` says of which keys."""
        for known in (self._known, self._reading):
            for key in [key for key in known if matching(key)]:
                known.pop(key)

    def _start(self, key: K) -> asyncio.Task[V]:
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self._renew(key))
            # A read in the background may fail with nobody waiting for it.
            reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return reading

    async def _renew(self, key: K) -> V:
        task = asyncio.current_task()
        try:
            value = await self._read(key)
        except Unavailable:
            known = self._known.get(key)
            if known is None:
                raise
            value = known[0]
        finally:
            # A read that began before `forget` must not bring the old value back.
            current = self._reading.get(key) is task
            if current:
                del self._reading[key]
        if current:
            self._known[key] = (value, monotonic())
        return value
