"""A way to PostgreSQL that can be made slow: a Unix socket in a folder of its own, with a delay before each answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

SOCKET = ".s.PGSQL.5432"


class SlowRoad:
    """`delay`: seconds before what the server says is passed on."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder = folder
        self.delay = 0.0
        self._server = server / SOCKET
        self._tasks: set[asyncio.Task[None]] = set()

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@/{database}?host={self.folder}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SlowRoad]:
        self.folder.mkdir()
        listening = await asyncio.start_unix_server(self._meet, self.folder / SOCKET)
        yield self
        listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_unix_connection(self._server)
            await asyncio.gather(self._pass(reader, back, False), self._pass(there, writer, True))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, slow: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if slow and self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        writer.close()
