"""Which day it is where a shop is, and what its agents may send while the store is out."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import pytest

from service.api.shops import NOT_READ, Shops, assets_of, local_time
from service.errors import Unavailable
from service.record.database import Database
from service.record.shops import Shop, put_shop
from service.text.message import NO_ASSETS, Assets
from tests.api.conftest import Running, message, running

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


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def test_every_change_of_a_shop_is_a_revision_and_live_everywhere_within_a_second(service: Running) -> None:
    text, url = "亲，请看 https://www.bluepigeon.cn 的说明", "/v1/shops/shop-1"
    editor = service.as_key(await service.key("editor"))

    async def decision(where: Running) -> str:
        answer = await where.client.post("/v1/analyze", json=message(text))
        found: str = answer.json()["decision"]
        return found

    async with running(service.state["pipeline"].live, service.state["settings"]) as second:
        assert await decision(second) == "block"
        body = {"platform": "kuaishou", "assets": {"domains": ["bluepigeon.cn"]}}
        first = await editor.put(url, json=body, headers={"X-Audit-Reason": "our site"})
        assert (first.status_code, first.headers["etag"]) == (200, '"1"')
        assert await decision(service) == "allow"
        async with asyncio.timeout(1):
            while await decision(second) != "allow":  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    gone = await editor.put(url, json={"platform": "jd"}, headers={"If-Match": '"1"'})
    assert (gone.headers["etag"], (await editor.get(url)).headers["etag"]) == ('"2"', '"2"')
    assert await decision(service) == "block"
    for method in ("PUT", "DELETE"):
        stale = await editor.request(method, url, json=body, headers={"If-Match": '"1"'})
        assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert (await editor.delete(url, headers={"If-Match": '"2"'})).status_code == 204
    assert (await editor.post(f"{url}/rollback", json={"revision": 3})).status_code == 404
    assert (await editor.post(f"{url}/rollback", json={"revision": 9})).status_code == 404
    back = await editor.post(f"{url}/rollback", json={"revision": 1})
    assert (back.headers["etag"], back.json()["assets"]["domains"]) == ('"4"', ["bluepigeon.cn"])
    assert await decision(service) == "allow"

    page = (await editor.get(f"{url}/revisions?limit=3")).json()
    last = (await editor.get(f"{url}/revisions?limit=3&cursor={page['next_cursor']}")).json()
    assert last["next_cursor"] is None
    rows = [*page["items"], *last["items"]]
    assert [each["revision"] for each in rows] == [4, 3, 2, 1]
    assert [each["after"] and each["after"]["platform"] for each in rows] == ["kuaishou", None, "jd", "kuaishou"]
    assert [row["before"] for row in rows] == [row["after"] for row in rows[1:]] + [None]
    assert (rows[-1]["reason"], rows[-1]["changed_by"] != "") == ("our site", True)
    assert (await editor.get(f"{url}/revisions?cursor=WyJ4Il0")).status_code == 422
    actions = [each["action"] for each in (await service.client.get("/v1/audit")).json()["items"]]
    assert actions == ["shop.rollback", "shop.delete", "shop.put", "shop.put"]
    stranger = service.as_key(await service.key("editor", tenant="other"))
    assert (await stranger.get(f"{url}/revisions")).status_code == 404
    assert (await stranger.post(f"{url}/rollback", json={"revision": 1})).status_code == 404


async def test_many_editors_of_one_shop_lose_nothing(service: Running) -> None:
    async def put(number: int) -> int:
        body = {"platform": "jd", "assets": {"phones": [f"400-810-{number:04}"]}}
        return (await service.client.put("/v1/shops/s", json=body)).status_code

    assert await asyncio.gather(*map(put, range(20))) == [200] * 20
    items = (await service.client.get("/v1/shops/s/revisions")).json()["items"]
    assert [each["revision"] for each in items] == list(range(20, 0, -1))
    assert len({each["after"]["assets"]["phones"][0] for each in items}) == 20


async def test_a_policy_goes_back_to_any_of_its_revisions(service: Running) -> None:
    url = "/v1/policies/jd"
    softer = {"actions": {"counterfeit": {"high": "warn"}}}
    await service.client.put(url, json=softer, headers={"X-Audit-Reason": "campaign"})
    await service.client.put(url, json={})
    assert (await service.client.post(f"{url}/rollback", json={"revision": 7})).status_code == 404
    back = await service.client.post(f"{url}/rollback", json={"revision": 1}, headers={"If-Match": '"2"'})
    assert (back.json()["revision"], back.json()["changed"]["actions"]) == (3, softer["actions"])
    items = (await service.client.get(f"{url}/revisions")).json()["items"]
    assert [(each["revision"], each["reason"]) for each in items] == [(3, None), (2, None), (1, "campaign")]
    assert (await service.client.post(f"{url}/rollback", json={"revision": 0})).json()["changed"]["actions"] == {}
