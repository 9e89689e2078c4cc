"""Fixtures for everybody: a clean environment, and each database test on SQLite and on PostgreSQL.

A PostgreSQL that cannot be started fails the tests: skipping would hide half of what is promised.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from service.engine import Engine
from service.lexicon.load import load_snapshot
from service.lexicon.snapshot import Snapshot
from service.live import Live, load_live
from service.record.database import Database
from service.record.migrate import upgrade
from service.record.schema import metadata
from service.settings import Settings
from tests.postgresql import PostgresServer, run_server

P = ParamSpec("P")
R = TypeVar("R")
_numbers = count()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set on the developer's machine is no part of a test."""
    for name in os.environ:
        if name.startswith("SHENYAN_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    """The shipped data files."""
    return load_snapshot(Settings().lexicon_dir)


@pytest.fixture(scope="session")
def engine(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The engine of the shipped data files, compiled once."""
    return Engine.compile(snapshot, tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Live:
    """The shipped lexicon's engine as a service takes it, compiled once."""
    return load_live(Settings().lexicon_dir, tmp_path_factory.mktemp("cache"))


def outside_loop(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Calls what starts an event loop of its own, from wherever a loop may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function, *args, **kwargs).result()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresServer]:
    """One server for the whole run."""
    with run_server() as server:
        yield server


@pytest.fixture(scope="session")
def _migrated_postgresql(postgresql_server: PostgresServer) -> str:
    """A database with the tables, emptied after each test: making a new one takes five times as long."""
    postgresql_server.execute("CREATE DATABASE migrated")
    outside_loop(upgrade, postgresql_server.url("migrated"))
    return "migrated"


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables, to copy from."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    outside_loop(upgrade, f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    name: str = request.param
    return name


@pytest.fixture
def empty_database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables, for this test alone."""
    if backend == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgresql_server")
        name = f"empty_{next(_numbers)}"
        server.execute(f"CREATE DATABASE {name}")
        yield server.url(name)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with empty tables, for this test alone."""
    if backend == "sqlite":
        path = tmp_path / "shenyan.db"
        shutil.copy(request.getfixturevalue("_migrated_sqlite"), path)
        yield f"sqlite+aiosqlite:///{path}"
    else:
        server: PostgresServer = request.getfixturevalue("postgresql_server")
        name: str = request.getfixturevalue("_migrated_postgresql")
        yield server.url(name)
        # A connection left open must not hold a lock against the emptying.
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
        server.execute(
            f"SELECT pg_terminate_backend(pid) {others}",
            *(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)),
            database=name,
        )


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open, migrated database, for this test alone."""
    database = await Database.open(database_url)
    yield database
    await database.close()
