"""Many statements of one transaction in one go, without a turn of the event loop for each.

A statement costs a fraction of the way to it and back: on SQLite a hand-over to the connection's thread and back, on
PostgreSQL a stack of its own. Here that is paid once for all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar, cast

import msgspec
from sqlalchemy import Connection, CursorResult, Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import StaticPool

from service.record.engine import to_json

T = TypeVar("T")
Work = Callable[[AsyncConnection], Coroutine[Any, Any, T]]
_ENGINE = "at_once"


async def at_once(connection: AsyncConnection, work: Work[T]) -> T:
    """What `work` gives, which must wait for nothing but what the connection that it is handed executes.

    `connection` is in a transaction, which goes on. Raises what `work` raises.
    """
    if connection.dialect.name != "sqlite":
        return await connection.run_sync(partial(_run, work))
    pooled = await connection.get_raw_connection()
    driver: Any = pooled.driver_connection
    if _ENGINE not in pooled.info:
        pooled.info[_ENGINE] = _same_connection(driver._conn)
    # The driver's own way of doing something in the thread to which the connection belongs.
    done: T = await driver._execute(_run_with, pooled.info[_ENGINE], work)
    return done


class _Direct:
    """Looks like an asynchronous connection to store functions, but never makes them wait."""

    def __init__(self, connection: Connection) -> None:
        self.dialect = connection.dialect
        self._connection = connection

    async def execute(self, *arguments: Any) -> CursorResult[Any]:
        return self._connection.execute(*arguments)


def _run(work: Work[T], connection: Connection) -> T:
    coroutine = work(cast(AsyncConnection, _Direct(connection)))
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    coroutine.close()
    raise RuntimeError(f"{work} waits for something else than its connection")


def _run_with(engine: Engine, work: Work[T]) -> T:
    with engine.connect() as connection:
        return _run(work, connection)


def _same_connection(connection: sqlite3.Connection) -> Engine:
    """An engine whose only connection is this one, and which never begins or ends a transaction on it."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: connection,
        poolclass=StaticPool,
        pool_reset_on_return=None,
        json_serializer=to_json,
        json_deserializer=msgspec.json.decode,
    )
    for ending in ("do_begin", "do_commit", "do_rollback"):
        # Not by isolation level AUTOCOMMIT: to switch that on ends the transaction that there is.
        setattr(engine.dialect, ending, _nothing)
    return engine


def _nothing(_connection: object) -> None:
    pass
