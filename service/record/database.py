"""The way to the database: one connection for SQLite, a pool for PostgreSQL, transactions as `async with`.

Store functions take a `Store`: a `Database`, then they run in a transaction of their own, or a connection
that `write()` gave out, then they join that transaction, so that a change and its audit entry stand or fall
together:

    async with database.write() as connection:
        before = await put_shop(connection, tenant_id, shop, at)
        await add_entry(connection, ...)

Warning: SQLite has one connection for everybody, so inside `write()` or `read()` hand on the connection,
never the database: waiting for a second connection ends in Unavailable after `POOL_SECONDS`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from functools import cache
from typing import Self

import asyncpg
from sqlalchemy import Dialect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.schema import Table

from service.errors import Unavailable
from service.record.engine import build_engine

PING_SECONDS = 2.0
RETRY_SECONDS = 1.0
# PostgreSQL error classes (its manual, appendix A) that speak of the server, not of our statement:
# connection, rollback by deadlock, resources used up, operator's action, system error.
_OUTAGE_CLASSES = ("08", "40", "53", "57", "58")
# SQLite's result codes that speak of our statement; the others are for lock, disk, file and memory.
_SQLITE_STATEMENT = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
)


class Database:
    """An open database. Make one with `await Database.open(url)`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(begin="BEGIN IMMEDIATE")

    @classmethod
    async def open(cls, url: str) -> Self:
        """Opens `sqlite+aiosqlite:///file` or `postgresql+asyncpg://…`; drivers may be left out.

        Connects once, so that a wrong address shows at start. Raises DataError for an address of neither
        kind, Unavailable when nobody answers there. The tables are `migrate.upgrade`'s business.
        """
        database = cls(build_engine(url))
        try:
            await database.ping()
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction for reading. Raises Unavailable when the database cannot be used."""
        return _transaction(self.engine)

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction for writing: committed at the end of the block, rolled back on an error in it.

        On SQLite it takes the write lock at once, since a reader that turns writer midway cannot wait for it.
        Raises Unavailable when the database cannot be used.
        """
        return _transaction(self._writing)

    async def ping(self) -> None:
        """Raises Unavailable when the database does not answer within `PING_SECONDS`."""
        try:
            async with asyncio.timeout(PING_SECONDS), self.read() as connection:
                await connection.execute(text("SELECT 1"))
        except TimeoutError as error:
            raise Unavailable(
                f"the database did not answer within {PING_SECONDS:g} s", retry_after=RETRY_SECONDS
            ) from error

    async def close(self) -> None:
        """Closes every connection; the database can't be used after it."""
        await self.engine.dispose()


Store = Database | AsyncConnection
"""Where a store function runs: in its own transaction, or in the one it is handed."""


def reading(store: Store) -> AbstractAsyncContextManager[AsyncConnection]:
    """The given transaction, or one of its own for reading."""
    return store.read() if isinstance(store, Database) else nullcontext(store)


def writing(store: Store) -> AbstractAsyncContextManager[AsyncConnection]:
    """The given transaction, or one of its own for writing."""
    return store.write() if isinstance(store, Database) else nullcontext(store)


def insert_new(table: Table, dialect: Dialect, returning: str | None = None) -> Insert:
    """`INSERT ... ON CONFLICT DO NOTHING`, which the two dialects spell alike but hold apart; gives the column
    `returning` of those rows that are new.
    """
    return _insert_new(table, dialect.name, returning)


def insert_or_add(table: Table, dialect: Dialect, columns: tuple[str, ...]) -> Insert:
    """`INSERT`, or where the row is there already its numbers in `columns` are added to."""
    return _insert_or_add(table, dialect.name, columns)


# Putting a statement together takes as long as running it, so each is made once.
@cache
def _insert_new(table: Table, dialect: str, returning: str | None) -> Insert:
    into: Insert = (sqlite if dialect == "sqlite" else postgresql).insert(table).on_conflict_do_nothing()
    return into if returning is None else into.returning(table.c[returning])


@cache
def _insert_or_add(table: Table, dialect: str, columns: tuple[str, ...]) -> Insert:
    into = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    added = {name: table.c[name] + into.excluded[name] for name in columns}
    adding: Insert = into.on_conflict_do_update(index_elements=list(table.primary_key), set_=added)
    return adding


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(engine.begin())
            except (PoolTimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                raise _unavailable(error) from error
            yield connection
    # Fewer kinds than above: the caller's block may meet a file error of its own.
    except (DBAPIError, TimeoutError, ConnectionError) as error:
        if isinstance(error, DBAPIError) and not _is_outage(error):
            raise
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(
        f"the database cannot be used now ({type(error).__name__}); try again", retry_after=RETRY_SECONDS
    )


def _is_outage(error: DBAPIError) -> bool:
    """True when the database itself is out, false when it is the statement that is wrong."""
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF not in _SQLITE_STATEMENT
    return str(getattr(error.orig, "sqlstate", None) or "")[:2] in _OUTAGE_CLASSES
