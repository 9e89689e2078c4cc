"""Engines with this service's settings: SQLite on one connection, PostgreSQL with a pool."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from service.errors import DataError

POOL_SECONDS = 10.0
"""How long a caller waits for a connection to come free."""
BUSY_MILLISECONDS = 5_000
"""How long SQLite waits for another process that is writing."""
WAL_TRIES = 20
"""Turns of waiting before a new file must have been brought to write-ahead logging."""
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}


def build_engine(url: str, *, foreign_keys: bool = True) -> AsyncEngine:
    """An engine that has not connected yet. Raises DataError for an address of another kind."""
    address = _parse(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite_engine(address, foreign_keys)
    return _postgresql_engine(address)


def _parse(url: str) -> URL:
    hint = "use sqlite+aiosqlite:///path/to/file or postgresql+asyncpg://user:password@host/name"
    try:
        address = make_url(url)
    except ArgumentError:
        # Not chained: the library's text repeats the address, and with it the password.
        raise DataError(f"SHENYAN_DATABASE_URL is no address of a database; {hint}") from None
    address = address.set(drivername=DRIVERS.get(address.drivername, address.drivername))
    if address.drivername not in DRIVERS.values():
        raise DataError(f"SHENYAN_DATABASE_URL names the driver {address.drivername!r}; {hint}")
    return address


def _sqlite_engine(address: URL, foreign_keys: bool) -> AsyncEngine:
    if address.database and address.database != ":memory:":
        file = Path(address.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        # For nobody else's eyes; SQLite gives its other files the rights of this one. A file that is there keeps its own.
        with suppress(OSError):
            file.touch(0o600)
    engine = create_async_engine(
        address,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        json_serializer=to_json,
        json_deserializer=msgspec.json.decode,
        # Without this the driver opens transactions when it sees fit and commits before DDL.
        connect_args={"isolation_level": None},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        # The wait comes first: the others may find the file locked by a process that is starting too.
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        _enter_wal(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _enter_wal(cursor: Any) -> None:
    """Write-ahead logging, which the file remembers.

    Processes that change a new file's mode at the same moment do not wait for each other, SQLite refuses one; but
    for a write transaction it does wait, and behind that the other one has come through.
    """
    for _ in range(WAL_TRIES):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("COMMIT")
    cursor.execute("PRAGMA journal_mode = WAL")


def _postgresql_engine(address: URL) -> AsyncEngine:
    engine = create_async_engine(
        address,
        pool_size=10,
        max_overflow=10,
        pool_timeout=POOL_SECONDS,
        json_serializer=to_json,
        json_deserializer=msgspec.json.decode,
        connect_args={
            "timeout": 5,
            "command_timeout": 15,
            "server_settings": {"application_name": "shenyan"},
        },
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
        # The driver knows when the server has hung up; asking it costs nothing, a ping costs a round trip.
        if connection.driver_connection.is_closed():
            raise DisconnectionError("the server closed this connection")

    return engine


def to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
