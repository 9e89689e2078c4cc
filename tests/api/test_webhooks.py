"""Webhook endpoints over the API, and the whole way from a message to whoever is told of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from service.live import Live
from service.notify.standard import new_secret
from service.settings import Settings
from tests.api.conftest import ADMIN, BLOCKED, Running, message, running
from tests.notify.receiver import OK, Receiver, receiving
from tests.web import ok, reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDPOINTS = "/v1/webhook-endpoints"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(live: Live, tmp_path_factory: pytest.TempPathFactory, _migrated_sqlite: Path) -> AsyncIterator[Running]:
    """A service that may tell receivers on loopback."""
    folder = tmp_path_factory.mktemp("told")
    shutil.copy(_migrated_sqlite, folder / "shenyan.db")
    settings = Settings(data_dir=folder, admin_key=ADMIN, webhook_networks="127.0.0.0/8")  # type: ignore[arg-type]
    async with running(live, settings) as started:
        yield started


@pytest.fixture
def client(told: Running) -> httpx.AsyncClient:
    return told.client


async def make(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    made = await client.post(ENDPOINTS, json=fields)
    assert made.status_code == 201, made.text
    body: dict[str, Any] = made.json()
    return body


async def deliveries(client: httpx.AsyncClient, endpoint: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"{ENDPOINTS}/{endpoint['id']}/deliveries", params=query)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def over(told: Running, endpoint: dict[str, Any]) -> list[dict[str, Any]]:
    """The deliveries once what came of them is written down, newest first."""
    await told.state["webhooks"].idle()
    return await deliveries(told.client, endpoint)


async def test_the_whole_way(told: Running, client: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        endpoint = await make(client, url=receiver.url())
        incident = (await client.post("/v1/moderate", json=message(BLOCKED))).json()["incident_id"]
        await client.post(f"/v1/incidents/{incident}/appeal", json={"reason": "引用"})
        await client.post(f"/v1/incidents/{incident}/review", json={"verdict": "overturned", "note": "x"})
        await client.put("/v1/policies/jd", json={})
        await client.post("/v1/lexicons", json={"name": "told"})
        term = {"id": "contact/told", "pattern": "蓝鸽号联络", "category": "contact", "severity": "high"}
        await client.post("/v1/lexicons/told/terms", json=term)
        published = await client.post("/v1/lexicons/told/publish", json={})
        assert published.status_code == 200, published.text
        await receiver.heard(5, "incident.reviewed", "policy.changed", "lexicon.published")
        found = {each["type"]: each for each in await over(told, endpoint)}
        kinds = [each.verify(endpoint["secret"])["type"] for each in receiver.told]
        assert [kind for kind in kinds if kind.startswith("incident.")] == [
            "incident.created",
            "incident.appealed",
            "incident.reviewed",
        ]
        assert {"policy.changed", "lexicon.published"} <= set(kinds)
        created = next(each["data"] for each in receiver.events if each["type"] == "incident.created")
        assert (created["incident_id"], created["term_ids"]) == (incident, ["counterfeit/gaofang"])
        assert "高仿" not in json.dumps(receiver.events, ensure_ascii=False)
        assert (await client.get(created["link"])).status_code == 200
        one = found["incident.created"]
        assert (one["state"], one["attempts"], one["last_status"], one["next_attempt_at"]) == (
            "delivered",
            1,
            204,
            None,
        )
        assert one["event_id"] in {each.id for each in receiver.told}
        shown = (await client.get(f"{ENDPOINTS}/{endpoint['id']}/deliveries/{one['id']}")).json()
        assert shown["data"] == created
        metrics = (await client.get("/metrics")).text
        assert 'shenyan_webhook_attempts_total{outcome="delivered"}' in metrics
        assert "shenyan_outbox_depth" in metrics
        await client.delete(f"{ENDPOINTS}/{endpoint['id']}")


async def test_a_delivery_is_sent_again_by_hand(told: Running, client: httpx.AsyncClient) -> None:
    async with receiving(lambda _: reply("500 Internal Server Error")) as receiver:
        endpoint = await make(client, url=receiver.url(), events=["policy.changed"])
        await client.put("/v1/policies/jd", json={})
        await receiver.heard(1)
        (waiting,) = await deliveries(client, endpoint)
        path = f"{ENDPOINTS}/{endpoint['id']}/deliveries/{waiting['id']}/retry"
        receiver.answer = lambda _: OK
        assert (await over(told, endpoint))[0]["last_error"] == "answered 500"
        assert (await client.post(path)).json()["state"] == "pending"
        await receiver.heard(2)
        (done,) = await over(told, endpoint)
        assert (done["state"], done["attempts"]) == ("delivered", 2)
        assert (await client.post(path)).json()["state"] == "pending"
        await receiver.heard(3)
        assert len({each.id for each in receiver.told}) == 1
        await over(told, endpoint)
        await client.patch(f"{ENDPOINTS}/{endpoint['id']}", json={"enabled": False})
        refused = await client.post(path)
        assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_disabled")


async def test_a_test_shows_what_came_back(client: httpx.AsyncClient, receiver: Receiver) -> None:
    endpoint = await make(client, url=receiver.url("/test"), enabled=False)
    receiver.answer = lambda _: ok("收到".encode())
    answer = (await client.post(f"{ENDPOINTS}/{endpoint['id']}/test")).json()
    assert (answer["delivered"], answer["status"], answer["response"]) == (True, 200, "收到")
    assert receiver.told[-1].verify(endpoint["secret"])["type"] == "endpoint.test"
    receiver.answer = lambda _: reply("403 Forbidden")
    answer = (await client.post(f"{ENDPOINTS}/{endpoint['id']}/test")).json()
    assert (answer["delivered"], answer["status"], answer["error"]) == (False, 403, "answered 403")
    assert await deliveries(client, endpoint) == []


async def test_a_secret_is_shown_once_and_replaced(client: httpx.AsyncClient, receiver: Receiver) -> None:
    given = new_secret()
    endpoint = await make(client, url=receiver.url(), secret=given, enabled=False)
    assert endpoint["secret"] == given
    shown = await client.get(f"{ENDPOINTS}/{endpoint['id']}")
    assert "secret" not in shown.json()
    rotated = await client.post(f"{ENDPOINTS}/{endpoint['id']}/rotate", json={"overlap_hours": 1})
    assert rotated.headers["cache-control"] == "no-store"
    fresh = rotated.json()["secret"]
    assert fresh not in (given, None)
    until = datetime.fromisoformat(rotated.json()["old_secret_until"])
    assert 3500 < (until - datetime.now(UTC)).total_seconds() <= 3600
    receiver.answer = lambda _: OK
    await client.post(f"{ENDPOINTS}/{endpoint['id']}/test")
    assert receiver.told[-1].verify(given) == receiver.told[-1].verify(fresh)
    # Without a body, as curl sends it.
    third = (await client.post(f"{ENDPOINTS}/{endpoint['id']}/rotate")).json()["secret"]
    await client.post(f"{ENDPOINTS}/{endpoint['id']}/test")
    assert receiver.told[-1].verify(third) == receiver.told[-1].verify(fresh)
    for place in ((await client.get("/v1/audit")).text, (await client.get(ENDPOINTS)).text):
        assert not any(secret in place for secret in (given, fresh, third))


async def test_robots_addresses_are_not_shown(client: httpx.AsyncClient) -> None:
    hook = "https://93.184.216.34"
    for kind, path, shown in [
        ("dingtalk_robot", "/robot/send?access_token=hush", "/robot/send?access_token=***"),
        ("wecom_robot", "/cgi-bin/webhook/send?key=hush", "/cgi-bin/webhook/send?key=***"),
        ("feishu_robot", "/open-apis/bot/v2/hook/hush", "/open-apis/bot/v2/hook/***"),
    ]:
        endpoint = await make(client, url=hook + path, kind=kind, enabled=False)
        assert (endpoint["url"], endpoint["secret"], endpoint["signed"]) == (hook + shown, None, False)
    assert "hush" not in (await client.get("/v1/audit")).text
    refused = await client.post(f"{ENDPOINTS}/{endpoint['id']}/rotate", json={})
    assert refused.json()["errors"][0]["pointer"] == "/secret"
    assert (await client.post(f"{ENDPOINTS}/{endpoint['id']}/rotate", json={"secret": "SEC1"})).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "https://10.0.0.1/hook"}, "/url"),
        ({"url": "https://[fd00::1]/hook"}, "/url"),
        ({"url": "http://93.184.216.34/hook"}, "/url"),
        ({"url": "file:///etc/passwd"}, "/url"),
        ({"url": ""}, "/url"),
        ({}, "/url"),
        ({"url": "https://127.0.0.1/", "events": []}, "/events"),
        ({"url": "https://127.0.0.1/", "events": ["incident.deleted"]}, "/events/0"),
        ({"url": "https://127.0.0.1/", "secret": "whsec_short"}, "/secret"),
        ({"url": "https://127.0.0.1/", "kind": "wecom_robot", "secret": "x"}, "/secret"),
        ({"url": "https://127.0.0.1/", "kind": "feishu_robot", "envelope": "cloudevents"}, "/envelope"),
        ({"url": "https://127.0.0.1/", "kind": "pager"}, "/kind"),
        ({"url": "https://127.0.0.1/", "colour": "red"}, "/colour"),
    ],
)
async def test_what_can_not_be_told_is_refused(client: httpx.AsyncClient, body: dict[str, Any], pointer: str) -> None:
    answer = await client.post(ENDPOINTS, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.text


async def test_loopback_is_refused_unless_it_is_allowed(shared: Running, receiver: Receiver) -> None:
    answer = await shared.client.post(ENDPOINTS, json={"url": receiver.url()})
    assert answer.status_code == 422
    assert "SHENYAN_WEBHOOK_NETWORKS" in answer.json()["errors"][0]["detail"]


async def test_changes_are_kept_and_audited(client: httpx.AsyncClient, receiver: Receiver) -> None:
    endpoint = await make(client, url=receiver.url(), description="warehouse", enabled=False)
    path = f"{ENDPOINTS}/{endpoint['id']}"
    assert len(endpoint["events"]) == 8
    changes = {"events": ["incident.created"], "envelope": "cloudevents", "url": receiver.url("/new?token=hush")}
    changed = (await client.patch(path, json=changes, headers={"X-Audit-Reason": "moved"})).json()
    assert (changed["events"], changed["envelope"], changed["description"]) == (
        ["incident.created"],
        "cloudevents",
        "warehouse",
    )
    assert changed["url"].endswith("/new?token=***")
    entry = (await client.get("/v1/audit")).json()["items"][0]
    assert (entry["action"], entry["target"], entry["reason"]) == ("endpoint.change", endpoint["id"], "moved")
    assert (entry["before"]["envelope"], entry["after"]["envelope"]) == ("standard", "cloudevents")
    assert (await client.patch(path, json={"url": "https://10.0.0.1/"})).status_code == 422
    assert len((await client.patch(path, json={"events": None})).json()["events"]) == 8
    assert (await client.delete(path)).status_code == 204
    for call in (client.get(path), client.delete(path), client.post(f"{path}/test"), client.get(f"{path}/deliveries")):
        assert (await call).status_code == 404


async def test_endpoints_and_deliveries_in_pages(told: Running, client: httpx.AsyncClient) -> None:
    async with receiving() as receiver:
        endpoint = await make(client, url=receiver.url(), events=["policy.changed"])
        for _ in range(3):
            await client.put("/v1/policies/tmall", json={})
        await receiver.heard(3)
        whole = [each["id"] for each in await over(told, endpoint)]
        for path, expected in ((f"{ENDPOINTS}/{endpoint['id']}/deliveries", whole), (ENDPOINTS, None)):
            seen, cursor = [], None
            while True:
                page = (await client.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
                seen += [each["id"] for each in page["items"]]
                if (cursor := page["next_cursor"]) is None:
                    break
            assert len(seen) == len(set(seen))
            assert expected is None or seen == expected
        assert endpoint["id"] in seen
        assert (await client.get(f"{ENDPOINTS}/{endpoint['id']}/deliveries?cursor=bad")).status_code == 422
        revisions = [each.event["data"]["revision"] for each in receiver.told]
        assert revisions == sorted(revisions)
        await client.delete(f"{ENDPOINTS}/{endpoint['id']}")


async def test_another_tenant_finds_nothing(told: Running, client: httpx.AsyncClient, receiver: Receiver) -> None:
    endpoint = await make(client, url=receiver.url(), enabled=False)
    path = f"{ENDPOINTS}/{endpoint['id']}"
    async with told.as_key(await told.key("admin", "other")) as other:
        assert (await other.get(ENDPOINTS)).json()["items"] == []
        calls = [("GET", path), ("PATCH", path), ("DELETE", path), ("POST", f"{path}/test"), ("POST", f"{path}/rotate")]
        calls += [("GET", f"{path}/deliveries"), ("POST", f"{path}/deliveries/x/retry")]
        for method, place in calls:
            body: dict[str, Any] | None = {} if method == "PATCH" else None
            assert (await other.request(method, place, json=body)).status_code == 404, place
