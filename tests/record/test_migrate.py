import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from service.errors import DataError
from service.record import migrate, schema
from service.record.database import Database
from tests.conftest import outside_loop
from tests.record.factories import race


async def _inspect(url: str) -> set[str]:
    database = await Database.open(url)
    async with database.read() as connection:
        names = set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))
    await database.close()
    return names


async def test_up_and_down_and_up_again(empty_database_url: str) -> None:
    url = empty_database_url
    tables = {*schema.metadata.tables, "alembic_version"}
    assert outside_loop(migrate.current, url) is None
    outside_loop(migrate.upgrade, url)
    assert await _inspect(url) == tables
    outside_loop(migrate.downgrade, url, "base")
    assert await _inspect(url) == {"alembic_version"}
    assert outside_loop(migrate.current, url) is None
    outside_loop(migrate.upgrade, url)
    outside_loop(migrate.upgrade, url)
    assert await _inspect(url) == tables
    assert outside_loop(migrate.current, url) == migrate.head()


async def test_models_and_migrations_agree(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
        names = await connection.run_sync(_constraint_names)
    assert names == _expected_names()


def _constraint_names(connection: Connection) -> set[str | None]:
    inspector = inspect(connection)
    names: set[str | None] = set()
    for table in schema.metadata.tables:
        names.add(inspector.get_pk_constraint(table)["name"])
        names.update(key["name"] for key in inspector.get_foreign_keys(table))
        names.update(unique["name"] for unique in inspector.get_unique_constraints(table))
    return names


def _expected_names() -> set[str | None]:
    return {
        *(f"pk_{table}" for table in schema.metadata.tables),
        "fk_api_keys_tenant_id",
        "fk_incident_categories_incident_id",
        "uq_api_keys_key_hash",
        "uq_ledger_entries_reversal_of",
        "uq_ledger_entries_tenant_id_account_id_seq",
        "uq_sanctions_entry_id",
    }


def test_several_processes_may_start_at_once(empty_database_url: str) -> None:
    script = (
        "import sys; from service.record.migrate import current, upgrade\n"
        "print('ready', flush=True); sys.stdin.readline(); upgrade(sys.argv[1]); print(current(sys.argv[1]))"
    )
    assert race(4, script, empty_database_url) == [f"{migrate.head()}\n"] * 4


async def test_a_database_of_a_newer_version_is_refused(empty_database_url: str) -> None:
    outside_loop(migrate.upgrade, empty_database_url)
    database = await Database.open(empty_database_url)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()
    with pytest.raises(DataError, match="newer"):
        outside_loop(migrate.upgrade, empty_database_url)


async def test_a_failing_migration_leaves_nothing_behind(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = tmp_path / "100%"  # a percent sign in the path must not matter
    (scripts / "versions").mkdir(parents=True)
    (scripts / "env.py").write_text((migrate.script_location() / "env.py").read_text())
    (scripts / "versions" / "0001_bad.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "revision = '0001'\ndown_revision = None\n"
        "def upgrade():\n"
        "    op.create_table('half', sa.Column('id', sa.String))\n    op.execute('nonsense')\n"
    )
    monkeypatch.setattr(migrate, "script_location", lambda: scripts)
    with pytest.raises(Exception, match="nonsense"):
        outside_loop(migrate.upgrade, empty_database_url)
    assert await _inspect(empty_database_url) == set()


def test_scripts_are_found_in_a_checkout() -> None:
    assert (migrate.script_location() / "versions" / "0001_first.py").is_file()


OLD_INCIDENT = """
    INSERT INTO incidents (id, tenant_id, key_id, request_id, created_at, sent_at, platform, channel, shop_id, agent_id,
        decision, severity, categories, text, findings, state, lexicon_version, policy_version, attempts)
    VALUES (:id, 'acme', 'k', 'r', '2026-03-01 12:00:00', '2026-03-01 12:00:00', 'jd', 'chat', 's', 'a',
        'warn', 'low', '[]', 'x', '[]', 'open', 'l', 'p', 1)
"""
"""As the version of revision 0005 writes it."""


async def test_the_old_version_writes_while_the_tables_change(empty_database_url: str) -> None:
    url = empty_database_url
    outside_loop(migrate.upgrade, url)
    outside_loop(migrate.downgrade, url, "0005")
    database = await Database.open(url)
    written = 0

    async def write() -> None:
        nonlocal written
        async with database.write() as connection:
            await connection.execute(text(OLD_INCIDENT), {"id": f"incident-{written}"})
        written += 1

    await write()
    for change in (lambda: migrate.upgrade(url), lambda: migrate.downgrade(url, "0005"), lambda: migrate.upgrade(url)):
        before = written
        changing = asyncio.create_task(asyncio.to_thread(change))
        while not changing.done() or written == before:
            await write()
        await changing
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM incidents"))).scalar_one() == written
    await database.close()
