from datetime import timedelta

import pytest

from service.errors import Malformed
from service.record.audit import AuditEntry, add_entry, list_entries
from service.record.database import Database
from service.record.shops import Shop, list_shops, put_shop
from service.text.message import Assets
from tests.record.factories import NOW


async def test_an_entry_keeps_who_when_before_and_after(database: Database) -> None:
    shop = Shop(shop_id="s", platform="jd", assets=Assets(phones=("021-1234",)))
    entry = await add_entry(database, "acme", "key-1", NOW, "shop.put", "s", before=None, after=shop, reason="新店")
    assert await list_entries(database, "acme", limit=5) == ([entry], None)
    assert (entry.key_id, entry.at, entry.action, entry.target, entry.reason) == (
        "key-1",
        NOW,
        "shop.put",
        "s",
        "新店",
    )
    assert entry.before is None
    assert entry.after["assets"]["phones"] == ["021-1234"]


async def test_pages_are_newest_first(database: Database) -> None:
    made = [await add_entry(database, "acme", "k", NOW + timedelta(seconds=n // 2), "a", f"{n}") for n in range(7)]
    found: list[AuditEntry] = []
    cursor = None
    for _ in range(3):
        page, cursor = await list_entries(database, "acme", limit=3, cursor=cursor)
        found += page
        await add_entry(database, "acme", "k", NOW + timedelta(hours=1), "later", "x")
    assert found == made[::-1]
    assert cursor is None
    with pytest.raises(Malformed):
        await list_entries(database, "acme", limit=3, cursor="?")


async def test_a_change_and_its_entry_stand_or_fall_together(database: Database) -> None:
    async def change(fail: bool) -> None:
        async with database.write() as connection:
            await put_shop(connection, "acme", Shop(shop_id="s", platform="jd"), NOW)
            await add_entry(connection, "acme", "k", NOW, "shop.put", "s")
            if fail:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        await change(fail=True)
    assert await list_shops(database, "acme", limit=5) == ([], None)
    assert await list_entries(database, "acme", limit=5) == ([], None)
    await change(fail=False)
    assert len((await list_shops(database, "acme", limit=5))[0]) == 1
    assert len((await list_entries(database, "acme", limit=5))[0]) == 1
