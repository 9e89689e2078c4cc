"""A database that can be taken away and given back, and be held up just before it commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Unavailable
from service.penalise.books import Books
from service.penalise.load import load_ladders
from service.record.database import Database
from service.record.journal.journal import Journal
from service.record.replay import Replayer
from service.record.writer import GroupWriter
from service.settings import shipped_lexicons

BOOKS = Books(load_ladders(shipped_lexicons()))
LOG = structlog.wrap_logger(structlog.ReturnLogger())


class Faults:
    """What is wrong with one open database."""

    def __init__(self, database: Database) -> None:
        self.down = False
        self.lost_answers = 0
        """So many commits succeed without anybody hearing of it."""
        self.free = asyncio.Event()
        """While it is clear, commits wait."""
        self.free.set()
        self._write = database.write
        self._ping = database.ping
        database.write = self.write  # type: ignore[method-assign]
        database.ping = self.ping  # type: ignore[method-assign]

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        if self.down:
            raise Unavailable("nobody answers", retry_after=1)
        async with self._write() as connection:
            yield connection
            await self.free.wait()
        if self.lost_answers:
            self.lost_answers -= 1
            raise Unavailable("the connection broke after the commit", retry_after=1)

    async def ping(self) -> None:
        if self.down:
            raise Unavailable("nobody answers", retry_after=1)
        await self._ping()


class Kept:
    """A writer with its journal and who replays it, as the service has them."""

    def __init__(self, database: Database, folder: Path, patience: float = 5.0) -> None:
        self.journal = Journal(folder, 64 << 20, 1 << 20)
        self.writer = GroupWriter(database, charging=BOOKS, journal=self.journal, patience=patience)
        self.replayer = Replayer(database, self.writer, self.journal, LOG)

    async def __aenter__(self) -> Kept:
        await self.replayer.start()
        self.writer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.writer.close()
        await self.replayer.close()

    async def caught_up(self) -> None:
        """Waits until the database has everything and is written to again."""
        await until(lambda: self.writer.breaker.is_closed and not self.journal.waiting)


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits for `condition`; fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what is waited for may be anything
            await asyncio.sleep(0.01)
