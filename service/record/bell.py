"""Rings when there is news: at once on PostgreSQL, which calls its listeners; within a fifth of a second on SQLite.

Either has a connection of its own, so that it waits for nobody, and compares the number that is stored, so that a call
that got lost is made good.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy import make_url

from service.record.news import CHANNEL

POLL_SECONDS = 0.2
"""Between two looks at SQLite, 4 microseconds each."""
BEAT_SECONDS = 2.0
"""How long PostgreSQL may be silent before it is asked."""
ANSWER_SECONDS = 2.0
NUMBER = "SELECT number FROM news"


class Bell(Protocol):
    """Waits for news."""

    async def wait(self, known: int) -> None:
        """Returns when the stored number is above `known`. Raises OSError when the database can't be asked."""

    async def close(self) -> None:
        """Lets go of the connection."""


def make_bell(url: str) -> Bell:
    """The bell of the database at `url`."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return SqliteBell(Path(address.database or ""))
    return PostgresqlBell(url)


class SqliteBell:
    """Looks whether the file was written to, and only then for the number."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._connection: sqlite3.Connection | None = None

    async def wait(self, known: int) -> None:
        """See Bell."""
        seen = None
        while True:
            try:
                if self._connection is None:
                    address = f"{self._path.as_uri()}?mode=ro"
                    self._connection = sqlite3.connect(address, uri=True, isolation_level=None)
                version = self._one("PRAGMA data_version")
                if version != seen:
                    seen = version
                    if (self._one(NUMBER) or 0) > known:
                        return
            except sqlite3.Error as error:
                await self.close()
                raise OSError(f"news can't be read: {type(error).__name__}") from error
            await asyncio.sleep(POLL_SECONDS)

    async def close(self) -> None:
        """See Bell."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _one(self, query: str) -> Any:
        assert self._connection is not None  # noqa: S101
        row = self._connection.execute(query).fetchone()
        return row[0] if row else None


class PostgresqlBell:
    """Listens, and asks for the number whenever it was called, or was not called for a while."""

    def __init__(self, url: str) -> None:
        address = make_url(url).set(drivername="postgresql")
        self._dsn = address.render_as_string(hide_password=False)
        self._connection: Any = None
        self._called = asyncio.Event()

    async def wait(self, known: int) -> None:
        """See Bell."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._listen()
            while True:
                self._called.clear()
                async with asyncio.timeout(ANSWER_SECONDS):
                    number = await self._connection.fetchval(NUMBER)
                if (number or 0) > known:
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_SECONDS):
                        await self._called.wait()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            await self.close()
            raise OSError(f"news can't be read: {type(error).__name__}") from error

    async def close(self) -> None:
        """See Bell."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _listen(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            return
        self._connection = await asyncpg.connect(self._dsn, server_settings={"application_name": "shenyan news"})
        self._connection.add_termination_listener(lambda _: self._called.set())
        await self._connection.add_listener(CHANNEL, lambda *_: self._called.set())
