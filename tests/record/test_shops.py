import pytest

from service.errors import Malformed, NotFound
from service.record.database import Database
from service.record.shops import Shop, delete_shop, get_shop, list_shops, put_shop
from service.text.message import Assets
from tests.record.factories import NOW

SHOP = Shop(
    shop_id="旗舰店",
    platform="tmall",
    timezone="Asia/Urumqi",
    ladders=("ten_point", "fines"),
    assets=Assets(domains=("shop.example",), addresses=("退货仓 88 号",)),
)


async def test_a_shop_comes_back_as_it_was_put(database: Database) -> None:
    assert await put_shop(database, "acme", SHOP, NOW) is None
    assert await get_shop(database, "acme", SHOP.shop_id) == SHOP


async def test_putting_again_replaces_and_returns_what_was_there(database: Database) -> None:
    await put_shop(database, "acme", SHOP, NOW)
    plain = Shop(shop_id=SHOP.shop_id, platform="jd")
    assert await put_shop(database, "acme", plain, NOW) == SHOP
    assert await get_shop(database, "acme", SHOP.shop_id) == plain
    assert plain.timezone == "Asia/Shanghai"


async def test_a_deleted_shop_is_gone(database: Database) -> None:
    await put_shop(database, "acme", SHOP, NOW)
    assert await delete_shop(database, "acme", SHOP.shop_id) == SHOP
    with pytest.raises(NotFound, match="旗舰店"):
        await get_shop(database, "acme", SHOP.shop_id)
    with pytest.raises(NotFound):
        await delete_shop(database, "acme", SHOP.shop_id)


async def test_pages(database: Database) -> None:
    shops = [Shop(shop_id=f"s{number}", platform="jd") for number in range(5)]
    for shop in reversed(shops):
        await put_shop(database, "acme", shop, NOW)
    first, cursor = await list_shops(database, "acme", limit=3)
    await put_shop(database, "acme", Shop(shop_id="s0a", platform="jd"), NOW)
    second, end = await list_shops(database, "acme", limit=3, cursor=cursor)
    assert [*first, *second] == shops
    assert end is None
    with pytest.raises(Malformed):
        await list_shops(database, "acme", limit=3, cursor="?")
