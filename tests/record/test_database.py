import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Executable, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from service.errors import DataError, Unavailable
from service.record import engine, schema
from service.record.database import Database, reading, writing
from tests.record.factories import NOW, make_incident, store


@pytest.mark.parametrize("url", ["nonsense:secret", "mysql://me:secret@localhost/x", "sqlite+pysqlite:///x.db", ""])
async def test_a_wrong_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(DataError, match="postgresql\\+asyncpg://") as caught:
        await Database.open(url)
    assert "secret" not in caught.value.detail


async def test_drivers_may_be_left_out(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/new/folder/x.db")
    assert database.is_sqlite
    await database.close()


async def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await Database.open(f"postgresql+asyncpg://postgres@/x?host={tmp_path}")


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear customer, " * 100)
    with pytest.raises(Unavailable):
        await Database.open(f"sqlite:///{path}")


async def test_sqlite_is_durable_and_shared(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/x.db")
    async with database.read() as connection:
        found = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    await database.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


class _Refusing:
    """A cursor that is refused the change of mode as often as `refusals`; SQLite does so at moments of its own."""

    def __init__(self, refusals: int, code: int = sqlite3.SQLITE_BUSY) -> None:
        self.executed: list[str] = []
        self._refusals = refusals
        self._code = code

    def execute(self, statement: str) -> None:
        self.executed.append(statement)
        if "journal_mode" in statement and self._refusals:
            self._refusals -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self._code
            raise error


def test_a_new_file_that_others_open_too_is_waited_for() -> None:
    change, wait = "PRAGMA journal_mode = WAL", ["BEGIN IMMEDIATE", "COMMIT"]
    cursor = _Refusing(2)
    engine._enter_wal(cursor)
    assert cursor.executed == [change, *wait, change, *wait, change]
    with pytest.raises(sqlite3.OperationalError):
        engine._enter_wal(_Refusing(1_000))
    with pytest.raises(sqlite3.OperationalError):
        engine._enter_wal(_Refusing(1, sqlite3.SQLITE_CANTOPEN))


async def test_callers_that_go_away_leave_the_database_usable(database: Database) -> None:
    async def work(number: int) -> None:
        async with database.write() as connection:
            await connection.execute(insert(schema.tenants).values(id=f"t{number}", created_at=NOW))
        async with database.read() as connection:
            await connection.execute(select(schema.tenants))

    for steps in range(30):
        tasks = [asyncio.ensure_future(work(10 * steps + number)) for number in range(3)]
        for _ in range(steps):
            await asyncio.sleep(0)
        tasks[steps % 3].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [result for result in done if result is not None] in ([], [done[steps % 3]])
    await database.ping()
    await store(database, make_incident())


async def test_an_error_takes_the_whole_transaction_back(database: Database) -> None:
    async def fail_midway() -> None:
        async with database.write() as connection:
            await connection.execute(insert(schema.tenants).values(id="t", created_at=NOW))
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        await fail_midway()
    async with database.read() as connection:
        assert (await connection.execute(select(schema.tenants))).all() == []


async def test_a_wrong_statement_is_no_outage(database: Database) -> None:
    async def execute(statement: Executable) -> None:
        async with database.write() as connection:
            await connection.execute(statement)

    with pytest.raises(DBAPIError):
        await execute(text("SELECT * FROM nowhere"))
    key = {"id": "k", "tenant_id": "nobody", "name": "", "role": "client", "key_hash": "", "created_at": NOW}
    with pytest.raises(IntegrityError):
        await execute(insert(schema.api_keys).values(key))
    await database.ping()


async def test_everybody_gets_a_turn(database: Database) -> None:
    async def work(number: int) -> None:
        async with writing(database) as connection, reading(connection) as same:
            await same.execute(insert(schema.tenants).values(id=f"t{number}", created_at=NOW))
        await store(database, make_incident())
        async with reading(database) as connection:
            await connection.execute(select(schema.tenants))

    async with asyncio.timeout(20):
        await asyncio.gather(*(work(number) for number in range(40)))
    async with database.read() as connection:
        assert len((await connection.execute(select(schema.tenants))).all()) == 40


async def test_another_process_that_writes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_MILLISECONDS", 20)
    database = await Database.open(f"sqlite:///{tmp_path}/x.db")
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable) as caught:
        async with database.write():
            pass
    assert caught.value.retry_after == 1
    other.execute("ROLLBACK")
    other.close()
    async with database.write():
        pass
    await database.close()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_connections_that_the_server_closed_are_replaced(database: Database) -> None:
    await asyncio.gather(*(database.ping() for _ in range(5)))
    async with database.write() as connection:
        await connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()")
        )
        await connection.execute(text("SELECT pg_sleep(0.05)"))
    for _ in range(10):
        await database.ping()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_a_connection_that_breaks_midway_is_an_outage(database: Database) -> None:
    with pytest.raises(Unavailable):
        async with database.write() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    await database.ping()


def test_a_new_file_is_for_its_owners_eyes(tmp_path: Path) -> None:
    engine.build_engine(f"sqlite:///{tmp_path / 'new.db'}")
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600
