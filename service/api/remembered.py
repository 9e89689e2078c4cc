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

PATIENCE = 0.25
"""Seconds to wait for the store where an older value is known."""
FIRST_PATIENCE = 2.0
"""And where none is."""
SHORT_PATIENCE = 0.02
"""And either way, for `PAUSE` seconds after the store let somebody wait in vain."""
PAUSE = 1.0
STALE_SECONDS = 900.0


class Remembered(Generic[K, V]):
    """Values by key, never older than `seconds` while the store answers.

    From half that age on, a value is read anew in the background, so that a busy key never waits; callers that do wait
    share one read. While the store is out the value known last is served for `stale` seconds, for decisions must go on.
    """

    def __init__(
        self, read: Callable[[K], Awaitable[V]], seconds: float, size: int = 10_000, stale: float = STALE_SECONDS
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._stale = stale
        self._known: LRUCache[K, tuple[V, float, float]] = LRUCache(size)
        """Value, when it was asked for last, when the store said it last."""
        self._reading: dict[K, asyncio.Task[V]] = {}
        self._hurry_until = float("-inf")
        self.lost = False
        """Whether the last read found no store, or none that answers in time."""

    async def get(self, key: K, patience: float = PATIENCE) -> V:
        """Raises Unavailable when the store is out and the value was never read, or too long ago."""
        known = self._known.get(key)
        if known is None:
            found = await self._wait(self._start(key), FIRST_PATIENCE)
            if found is None:
                raise Unavailable("the database does not answer; try again", retry_after=PAUSE)
            return found[0]
        value, at, confirmed = known
        age = monotonic() - at
        if age < self._seconds / 2:
            return value
        reading = self._start(key)
        if age < self._seconds:
            return value
        found = await self._wait(reading, patience)
        if found is not None:
            return found[0]
        if monotonic() - confirmed > self._stale:
            raise Unavailable("the database has not answered for too long; try again", retry_after=PAUSE)
        return value

    def forget(self, matching: Callable[[K], bool] = lambda _: True) -> None:
        """Every next `get` reads anew; `matching` says of which keys."""
        for known in (self._known, self._reading):
            for key in [key for key in known if matching(key)]:
                known.pop(key)

    async def _wait(self, reading: asyncio.Task[V], patience: float) -> tuple[V] | None:
        """What was read; None when that takes too long."""
        if monotonic() < self._hurry_until:
            patience = min(patience, SHORT_PATIENCE)
        try:
            async with asyncio.timeout(patience):
                return (await asyncio.shield(reading),)
        except TimeoutError:
            self.lost = True
            self._hurry_until = monotonic() + PAUSE
            return None

    def _start(self, key: K) -> asyncio.Task[V]:
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self._renew(key))
            # A read in the background may fail with nobody waiting for it.
            reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return reading

    async def _renew(self, key: K) -> V:
        task = asyncio.current_task()
        confirmed = None
        try:
            value = await self._read(key)
            confirmed = monotonic()
            self.lost = False
        except Unavailable:
            self.lost = True
            known = self._known.get(key)
            if known is None or monotonic() - known[2] > self._stale:
                raise
            value, _, confirmed = known
        finally:
            # A read that began before `forget` must not bring the old value back.
            current = self._reading.get(key) is task
            if current:
                del self._reading[key]
        if current:
            self._known[key] = (value, monotonic(), confirmed)
        return value
