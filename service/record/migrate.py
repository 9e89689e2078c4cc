"""Brings the tables to a revision. Synchronous: call it before the event loop starts, or through a thread.

Safe when several processes start at once: each runs in one transaction that first takes a lock for itself
(SQLite's write lock, an advisory lock on PostgreSQL), so the others wait and then find nothing left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from service.errors import DataError
from service.record.database import Database
from service.record.engine import build_engine

Result = TypeVar("Result")
LOCK_ID = 0x5368656E79616E
"""Of PostgreSQL's advisory lock: "Shenyan" in ASCII."""


def upgrade(url: str, revision: str = "head") -> None:
    """Brings the database at `url` up to `revision`; creates the file of SQLite if there is none.

    Raises Unavailable when the database does not answer, DataError when it was made by a newer version.
    """
    _run(url, lambda connection: command.upgrade(_config(connection), revision))


def downgrade(url: str, revision: str) -> None:
    """Brings the database back to `revision`, `base` for none: tables that came later go, with what is in
    them.
    """
    _run(url, lambda connection: command.downgrade(_config(connection), revision))


def current(url: str) -> str | None:
    """The revision that the database is at; None when it has no tables of ours."""
    return _run(url, lambda connection: MigrationContext.configure(connection).get_current_revision())


def head() -> str | None:
    """The revision that this version's code needs."""
    return ScriptDirectory(str(script_location())).get_current_head()


def script_location() -> Path:
    """Where the migrations are: inside an installed wheel, else at the top of the repository."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_data" / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def _config(connection: Connection) -> Config:
    config = Config()
    # The parser behind it reads % as the start of a variable.
    config.set_main_option("script_location", str(script_location()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _run(url: str, work: Callable[[Connection], Result]) -> Result:
    try:
        return asyncio.run(_run_locked(url, work))
    except CommandError as error:
        raise DataError(
            f"the database does not fit this version's migrations: {error}; "
            "run the version that made it, or a newer one"
        ) from error


async def _run_locked(url: str, work: Callable[[Connection], Result]) -> Result:
    # Foreign keys are off because SQLite changes a table by copying it, and dropping the old copy would
    # cascade.
    database = Database(build_engine(url, foreign_keys=False))
    try:
        async with database.write() as connection:
            if not database.is_sqlite:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": LOCK_ID})
            return await connection.run_sync(work)
    finally:
        await database.close()
