"""Before the service answers: tables as this version needs them, one first key, a folder to write in."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.api.start import open_database, prepare_folder
from service.clock import SystemClock
from service.errors import DataError
from service.record.keys import DEFAULT_TENANT, list_keys
from service.record.migrate import upgrade
from service.settings import Settings
from tests.conftest import outside_loop


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def test_sqlite_is_migrated_and_postgresql_must_have_been(
    backend: str, empty_database_url: str, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=empty_database_url)
    if backend == "postgresql":
        with pytest.raises(DataError, match="run `shenyan migrate` first"):
            await open_database(settings, SystemClock())
        outside_loop(upgrade, empty_database_url)
    database = await open_database(settings, SystemClock())
    assert [key.role for key in await list_keys(database, DEFAULT_TENANT)] == ["admin"]
    await database.close()


async def test_starting_twice_makes_one_key(database_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    await (await open_database(settings, SystemClock())).close()
    plain = settings.key_file.read_text()
    database = await open_database(settings, SystemClock())
    assert len(await list_keys(database, DEFAULT_TENANT)) == 1
    assert settings.key_file.read_text() == plain
    await database.close()


def test_a_folder_is_made_and_left_clean(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="SHENYAN_DATA_DIR"):
        prepare_folder(tmp_path / "file")
