"""Keys, shops and the audit log that every change of them lands in."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from service.errors import Unavailable
from tests.api.conftest import ADMIN, CLEAN, Running, message

SHOP: dict[str, Any] = {
    "platform": "jd",
    "timezone": "Europe/Berlin",
    "ladders": ["ten_point"],
    "assets": {"domains": ["example.com"], "phones": ["400-800-1234"], "emails": [], "addresses": ["余杭区文一西路\0"],
               "accounts": []},
}  # fmt: skip


async def audit(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    response = await client.get("/v1/audit", params=query)
    assert response.status_code == 200
    page: dict[str, Any] = response.json()
    return page


async def test_a_key_is_shown_once(client: httpx.AsyncClient) -> None:
    body = {"name": "chat server", "role": "client", "rate_limit": "100/second"}
    response = await client.post("/v1/keys", json=body, headers={b"X-Audit-Reason": "新客服系统".encode()})
    made = response.json()
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    assert made.pop("key").startswith("sk_")
    listed = (await client.get("/v1/keys")).json()["items"]
    assert listed[-1] == made
    assert "key" not in listed[-1]
    (entry,) = (await audit(client))["items"]
    assert (entry["action"], entry["target"], entry["reason"]) == ("key.create", made["id"], "新客服系统")
    assert entry["before"] is None
    assert entry["after"]["name"] == "chat server"


async def test_keys_come_in_pages(service: Running, client: httpx.AsyncClient) -> None:
    for _ in range(4):
        await service.key("editor")
    first = (await client.get("/v1/keys", params={"limit": 3})).json()
    second = (await client.get("/v1/keys", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (3, 2, None)


async def test_revoking(client: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/keys", json={"name": "x", "role": "editor"})).json()
    assert (await client.delete(f"/v1/keys/{made['id']}")).status_code == 204
    (listed,) = [key for key in (await client.get("/v1/keys")).json()["items"] if key["id"] == made["id"]]
    assert listed["revoked_at"]
    entry = (await audit(client))["items"][0]
    assert (entry["action"], entry["before"]["revoked_at"]) == ("key.revoke", None)
    own = (await client.get("/v1/keys")).json()["items"][0]
    response = await client.delete(f"/v1/keys/{own['id']}")
    assert (response.status_code, response.json()["code"]) == (409, "own_key")


async def test_a_shop_is_put_read_and_forgotten(client: httpx.AsyncClient) -> None:
    put = await client.put("/v1/shops/s-1", json=SHOP, headers={"X-Audit-Reason": "return address"})
    expected = {"shop_id": "s-1", **SHOP, "assets": SHOP["assets"] | {"addresses": ["余杭区文一西路␀"]}}
    assert put.json() == expected
    assert (await client.get("/v1/shops/s-1")).json() == expected
    assert (await client.get("/v1/shops")).json() == {"items": [expected], "next_cursor": None}
    await client.put("/v1/shops/s-1", json={"platform": "jd"})
    assert (await client.delete("/v1/shops/s-1")).status_code == 204
    assert (await client.get("/v1/shops/s-1")).status_code == 404
    assert (await client.delete("/v1/shops/s-1")).status_code == 404
    entries = (await audit(client))["items"]
    assert [entry["action"] for entry in entries] == ["shop.delete", "shop.put", "shop.put"]
    assert entries[1]["before"]["timezone"] == "Europe/Berlin"
    assert entries[1]["after"]["timezone"] == "Asia/Shanghai"
    assert (entries[2]["before"], entries[2]["reason"]) == (None, "return address")


async def test_the_audit_log_comes_in_pages_newest_first(client: httpx.AsyncClient) -> None:
    for number in range(3):
        await client.put(f"/v1/shops/{number}", json={"platform": "jd"})
    first = await audit(client, limit=2)
    second = await audit(client, limit=2, cursor=first["next_cursor"])
    assert [entry["target"] for entry in first["items"] + second["items"]] == ["2", "1", "0"]


async def test_a_change_and_its_entry_stand_or_fall_together(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr("service.api.routes.shops.add_entry", fail)
    response = await client.put("/v1/shops/s-1", json=SHOP)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert (await client.get("/v1/shops/s-1")).status_code == 404


async def test_no_key_reaches_the_audit_log(client: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/keys", json={"name": "x", "role": "editor"})).json()
    await client.post("/v1/moderate", json=message(CLEAN))
    text = (await client.get("/v1/audit")).text
    assert made["key"] not in text
    assert ADMIN not in text
