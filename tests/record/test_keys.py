import re
from datetime import timedelta
from pathlib import Path

import pytest

from service.errors import Conflict, NotFound
from service.record.database import Database
from service.record.keys import create_key, find_key, first_start, hash_key, list_keys, revoke_key
from tests.record.factories import NOW, race


async def test_a_new_key_is_found_by_its_hash(database: Database) -> None:
    key, plain = await create_key(database, "acme", "till 3", "client", "100/second", NOW)
    assert re.fullmatch(r"sk_[A-Za-z0-9_-]{43}", plain)
    assert await find_key(database, hash_key(plain)) == key
    assert (key.tenant_id, key.name, key.role, key.rate_limit) == ("acme", "till 3", "client", "100/second")
    assert await find_key(database, hash_key(plain + "x")) is None


def test_the_hash_is_sha256() -> None:
    assert hash_key("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hash_key("\ud800") != hash_key("?")


async def test_a_given_key_is_kept_and_may_not_come_twice(database: Database) -> None:
    key, plain = await create_key(database, "acme", "ours", "admin", None, NOW, "my-own-key")
    assert plain == "my-own-key"
    assert await find_key(database, hash_key("my-own-key")) == key
    with pytest.raises(Conflict) as caught:
        await create_key(database, "other", "theirs", "client", None, NOW, "my-own-key")
    assert "my-own-key" not in str(caught.value)
    assert await list_keys(database, "other") == []


async def test_a_revoked_key_opens_nothing(database: Database) -> None:
    key, plain = await create_key(database, "acme", "old", "editor", None, NOW)
    later = NOW + timedelta(days=1)
    revoked = await revoke_key(database, "acme", key.id, later)
    assert revoked.revoked_at == later
    assert await find_key(database, hash_key(plain)) is None
    assert await revoke_key(database, "acme", key.id, later + timedelta(days=1)) == revoked
    assert await list_keys(database, "acme") == [revoked]
    with pytest.raises(NotFound):
        await revoke_key(database, "acme", "nothing", later)


async def test_keys_are_listed_oldest_first(database: Database) -> None:
    made = [
        (await create_key(database, "acme", name, "client", None, NOW + timedelta(seconds=second)))[0]
        for second, name in enumerate("abc")
    ]
    assert await list_keys(database, "acme") == made


async def test_the_first_start_writes_the_key_to_its_file(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "data" / "admin.key"
    assert await first_start(database, None, path, NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    key = await find_key(database, hash_key(path.read_text().strip()))
    assert key is not None
    assert (key.tenant_id, key.role) == ("default", "admin")
    before = path.read_text()
    assert not await first_start(database, None, path, NOW)
    assert not await first_start(database, "other", path, NOW)
    assert path.read_text() == before
    assert await list_keys(database, "default") == [key]


async def test_the_first_start_takes_the_key_that_is_set(database: Database, tmp_path: Path) -> None:
    assert await first_start(database, "from-the-environment", tmp_path / "admin.key", NOW)
    assert await find_key(database, hash_key("from-the-environment")) is not None
    assert not (tmp_path / "admin.key").exists()


async def test_a_file_of_an_earlier_try_is_replaced(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "admin.key"
    path.write_text("a much longer text than a key, readable by all, of a start that never came to its end\n")
    path.chmod(0o644)
    assert await first_start(database, None, path, NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    assert await find_key(database, hash_key(path.read_text().strip())) is not None


async def test_a_key_that_cannot_be_handed_over_is_not_made(database: Database, tmp_path: Path) -> None:
    (tmp_path / "admin.key").mkdir()
    with pytest.raises(OSError, match=r"admin\.key"):
        await first_start(database, None, tmp_path / "admin.key", NOW)
    assert await list_keys(database, "default") == []


STARTER = """
import asyncio, sys
from pathlib import Path
from service.record.database import Database
from service.record.keys import first_start
from tests.record.factories import NOW

async def main():
    database = await Database.open(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    print(await first_start(database, None, Path(sys.argv[2]), NOW))
    await database.close()

asyncio.run(main())
"""


async def test_of_several_starting_processes_one_makes_the_key(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "admin.key"
    answers = sorted(race(3, STARTER, database_url, str(path)))
    assert answers == ["False\n", "False\n", "True\n"]
    assert len(await list_keys(database, "default")) == 1
    assert await find_key(database, hash_key(path.read_text().strip())) is not None
