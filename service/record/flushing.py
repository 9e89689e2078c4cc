"""Writes every few seconds what was gathered in memory meanwhile, and once more at the end."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress

from service.errors import Unavailable

CLOSE_SECONDS = 2.0
"""How long the last writing may take."""


class Flushing(ABC):
    """Calls `flush` every `seconds`; what it raises as Unavailable is tried again the next time."""

    def __init__(self, seconds: float, name: str) -> None:
        self._seconds = seconds
        self._name = name
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def flush(self) -> None:
        """Writes what was gathered so far. Raises Unavailable when the store is out."""

    def start(self) -> None:
        """Begins to write; call it once, inside the event loop."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def close(self) -> None:
        """Writes what is left, then stops; gives up where the store is out."""
        self._closing.set()
        if self._task is not None:
            await self._task
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.flush()

    async def _run(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._closing.wait()
            with suppress(Unavailable):
                await self.flush()
