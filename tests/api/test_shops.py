"""Which day it is where a shop is, and what its agents may send while the store is out."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from service.api.shops import NOT_READ, Shops, assets_of, local_time
from service.errors import Unavailable
from service.record.database import Database
from service.record.shops import Shop, put_shop
from service.text.message import NO_ASSETS, Assets

SHOP = Shop(shop_id="s", platform="jd", assets=Assets(domains=("example.com",)))
EVENING = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Asia/Shanghai", date(2026, 3, 2)), ("Europe/Berlin", date(2026, 3, 1)), ("Asia/Tokyo", date(2026, 3, 2))],
)
def test_the_day_is_the_shops(zone: str, day: date) -> None:
    assert local_time(Shop(shop_id="s", platform="jd", timezone=zone), EVENING).date() == day


def test_without_a_shop_it_is_shanghais() -> None:
    assert local_time(None, EVENING).date() == date(2026, 3, 2)
    assert assets_of(None) is NO_ASSETS


async def test_a_shop_is_found_in_its_tenant_only(database: Database) -> None:
    await put_shop(database, "one", SHOP, EVENING)
    shops = Shops(database)
    assert await shops.find("one", "s") == (SHOP, ())
    assert await shops.find("two", "s") == (None, ())
    assert await shops.find("one", None) == (None, ())


async def test_a_store_that_is_out_is_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> Shop:
        raise Unavailable("out")

    monkeypatch.setattr("service.api.shops.get_shop", fail)
    assert await Shops(database).find("one", "s") == (None, (NOT_READ,))
