"""Reading incidents and overriding a warning, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from service.clock import SystemClock
from service.record.incident import Incident
from service.record.storing import Entry
from tests.api.conftest import BLOCKED, Running, message


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def put(service: Running, number: int, **fields: Any) -> Incident:
    """An incident that went past the engine."""
    now = SystemClock().now()
    incident = Incident(
        id=f"incident-{number}", tenant_id="default", key_id="k", request_id="r", created_at=now, sent_at=now,
        platform="jd", channel="chat", shop_id="s", agent_id="a", decision="warn", severity="low",
        categories=("ad_law",), text=f"text {number}", findings=(), lexicon_version="l", policy_version="p",
    )  # fmt: skip
    incident = msgspec.structs.replace(incident, **fields)
    await service.state["pipeline"]._writer.write(Entry(incident))
    return incident


async def listed(client: httpx.AsyncClient, **query: Any) -> list[str]:
    response = await client.get("/v1/incidents", params=query)
    assert response.status_code == 200, response.text
    return [item["id"].removeprefix("incident-") for item in response.json()["items"]]


async def test_filters(service: Running, client: httpx.AsyncClient) -> None:
    await put(service, 1)
    await put(service, 2, platform="taobao", shop_id="s2", agent_id="a2", decision="block", text="某某 高仿")
    await put(service, 3, categories=("ad_law", "contact"))
    assert await listed(client) == ["3", "2", "1"]
    assert await listed(client, platform="taobao") == ["2"]
    assert await listed(client, shop_id="s2") == ["2"]
    assert await listed(client, agent_id="a") == ["3", "1"]
    assert await listed(client, decision="warn") == ["3", "1"]
    assert await listed(client, category="contact") == ["3"]
    assert await listed(client, text="高仿") == ["2"]
    assert await listed(client, state="overridden") == []
    assert await listed(client, since="2020-01-01T00:00:00+08:00", until="2020-01-02T00:00:00Z") == []


async def test_a_plus_that_was_not_escaped_is_understood(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/incidents?since=2020-01-01T00:00:00+08:00")
    assert response.status_code == 200


async def test_pages(service: Running, client: httpx.AsyncClient) -> None:
    for number in range(5):
        await put(service, number)
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/incidents", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"incident-{number}" for number in (4, 3, 2, 1, 0)]


async def test_a_warning_can_be_overridden_once(service: Running, client: httpx.AsyncClient) -> None:
    await put(service, 1)
    response = await client.post("/v1/incidents/incident-1/override", json={"reason": "顾客\0要求"})
    assert response.status_code == 200
    assert (response.json()["state"], response.json()["override_reason"]) == ("overridden", "顾客␀要求")
    assert await listed(client, state="overridden") == ["1"]
    again = await client.post("/v1/incidents/incident-1/override", json={"reason": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "not_overridable")


async def test_a_client_reads_what_its_own_key_caused(service: Running, client: httpx.AsyncClient) -> None:
    await put(service, 1)
    async with service.as_key(await service.key("client")) as own:
        made = (await own.post("/v1/moderate", json=message(BLOCKED))).json()["incident_id"]
        assert await listed(own) == [made]
        assert (await own.get(f"/v1/incidents/{made}")).status_code == 200
        assert (await own.get("/v1/incidents/incident-1")).status_code == 404
        assert (await own.post("/v1/incidents/incident-1/override", json={"reason": "x"})).status_code == 404
    async with service.as_key(await service.key("supervisor")) as supervisor:
        assert await listed(supervisor) == [made, "1"]


async def test_another_tenant_sees_nothing(service: Running, client: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/moderate", json=message(BLOCKED))).json()["incident_id"]
    await client.put("/v1/shops/s", json={"platform": "jd"})
    own_key = (await client.get("/v1/keys")).json()["items"][0]["id"]
    async with service.as_key(await service.key("admin", tenant="other")) as other:
        assert await listed(other) == []
        assert (await other.get("/v1/shops")).json()["items"] == []
        assert (await other.get("/v1/audit")).json()["items"] == []
        assert len((await other.get("/v1/keys")).json()["items"]) == 1
        for method, path in [
            ("GET", f"/v1/incidents/{made}"),
            ("GET", "/v1/shops/s"),
            ("DELETE", "/v1/shops/s"),
            ("DELETE", f"/v1/keys/{own_key}"),
        ]:
            assert (await other.request(method, path)).status_code == 404, path
        override = await other.post(f"/v1/incidents/{made}/override", json={"reason": "x"})
        assert override.status_code == 404
