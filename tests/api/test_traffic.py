"""What becomes of answered messages: samples, and shadows beside what is in service, on both databases."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from service.record.samples import newest_samples
from tests.api.conftest import BLOCKED, CLEAN, Running, message, running

BASE = "/v1/lexicons/shop-words"
WORD: dict[str, Any] = {"pattern": "安排发货", "category": "contact", "severity": "critical", "match": "substring"}
PHONE = "您的订单号是 20260301，联系电话 13800138000 已登记"


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def editor(service: Running) -> httpx.AsyncClient:
    client = service.as_key(await service.key("editor"))
    await client.post("/v1/lexicons", json={"name": "shop-words"})
    return client


async def sample(service: Running, rate: float, days: int = 14) -> httpx.Response:
    return await service.client.put("/v1/tenant", json={"sampling": {"rate": rate, "days": days}})


async def moderate(service: Running, *texts: str) -> list[str]:
    batch = {"messages": [message(text) for text in texts]}
    results = (await service.client.post("/v1/moderate/batch", json=batch)).json()["results"]
    return [each["body"]["decision"] for each in results]


async def kept(service: Running, count: int) -> list[str]:
    """The texts of the samples once there are `count`."""
    async with asyncio.timeout(5):
        while True:
            found = await newest_samples(service.state["database"], "default", None, 1000)
            if len(found) >= count:
                return [each.text for each in found]
            await asyncio.sleep(0.02)


async def report(editor: httpx.AsyncClient, messages: int) -> dict[str, Any]:
    """The shadow's report once it has compared so many."""
    async with asyncio.timeout(5):
        while True:
            found: dict[str, Any] = (await editor.get(f"{BASE}/shadow")).json()
            if found["messages"] >= messages:
                return found
            await asyncio.sleep(0.02)


async def test_allowed_messages_are_sampled_and_masked(service: Running, editor: httpx.AsyncClient) -> None:
    assert (await service.client.get("/v1/tenant")).json()["sampling"] == {"rate": 0.0, "days": 14}
    await moderate(service, "这一句没有留下")
    set_ = await sample(service, 1.0)
    assert (set_.status_code, set_.headers["etag"], set_.json()["revision"]) == (200, '"1"', 1)
    rows = ["privacy_leak", "contact", "bank_account", "payment_account"]
    lenient = {row: dict.fromkeys(("low", "medium", "high", "critical"), "allow") for row in rows}
    await editor.put("/v1/policies/kuaishou", json={"actions": lenient})
    assert await moderate(service, CLEAN, BLOCKED, PHONE) == ["allow", "block", "allow"]
    texts = await kept(service, 2)
    assert sorted(texts) == sorted([CLEAN, PHONE.replace("13800138000", "*" * 11)])

    assert (await sample(service, 0.0)).json()["samples"] == 2
    assert service.state["pipeline"]._traffic.tenants == {}
    entries = (await service.client.get("/v1/audit?limit=1")).json()["items"]
    assert (entries[0]["action"], entries[0]["before"]) == ("tenant.put", {"sampling": {"rate": 1.0, "days": 14}})


async def test_a_share_is_sampled_and_the_same_one_each_time(service: Running) -> None:
    await sample(service, 0.5)
    texts = [f"亲，第{number}件已经为您安排" for number in range(100)]
    batch = {"messages": [message(text) for text in texts]}
    for _ in range(2):
        await service.client.post("/v1/moderate/batch", json=batch, headers={"X-Request-Id": "one"})
    await service.state["pipeline"]._traffic.close()
    found = await newest_samples(service.state["database"], "default", None, 1000)
    times = Counter(each.text for each in found)
    assert 25 <= len(times) <= 75
    assert set(times.values()) == {2}


async def test_settings_belong_to_admins_and_to_one_tenant(service: Running) -> None:
    for wrong in ({"sampling": {"rate": 1.5}}, {"sampling": {"days": 0}}, {"sampling": {"rate": "NaN"}}, {"x": 1}):
        assert (await service.client.put("/v1/tenant", json=wrong)).status_code == 422
    await sample(service, 1.0, 3)
    assert (await sample(service, 0.5)).json()["revision"] == 2
    stale = await service.client.put("/v1/tenant", json={}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await service.as_key(await service.key("editor")).get("/v1/tenant")).status_code == 403
    stranger = service.as_key(await service.key("admin", tenant="other"))
    assert (await stranger.get("/v1/tenant")).json()["revision"] == 0


async def test_a_shadow_says_what_it_would_do_and_decides_nothing(service: Running, editor: httpx.AsyncClient) -> None:
    found = (await service.client.post("/v1/analyze", json={"text": BLOCKED, "platform": "kuaishou"})).json()
    off = {each["term_id"] for each in found["findings"]}
    for term_id in off:
        await editor.post(f"{BASE}/terms", json={"id": term_id, "state": "off"})
    await editor.post(f"{BASE}/terms", json=WORD)
    assert (await editor.get(f"{BASE}/shadow")).status_code == 404
    started = await editor.post(f"{BASE}/shadow", json={}, headers={"X-Audit-Reason": "try it"})
    assert (started.status_code, started.json()["running"], started.json()["messages"]) == (201, True, 0)
    version = started.json()["version"]
    before = (await editor.get(BASE)).json()["version"]
    assert before is None

    assert await moderate(service, CLEAN, CLEAN, BLOCKED, "您好") == ["allow", "allow", "block", "allow"]
    seen = await report(editor, 4)
    assert (seen["messages"], seen["skipped"], seen["changed"]) == (4, 0, 3)
    assert seen["decisions"] == {"allow -> block": 2, "block -> allow": 1}
    assert [(each["text"], each["terms"]) for each in seen["stricter"]] == [(CLEAN, ["contact/安排发货"])] * 2
    assert [each["text"] for each in seen["looser"]] == [BLOCKED]
    assert seen["terms"][0] == {"term": "contact/安排发货", "only_live": 0, "only_shadow": 2}
    assert sum(day["messages"] for day in seen["days"]) == 4

    refused = await editor.post(f"{BASE}/rollback", json={"version": version})
    assert refused.status_code == 404
    promoted = await editor.post(f"{BASE}/shadow/promote", json={"note": "held for a day"})
    assert (promoted.status_code, promoted.json()["version"]) == (200, version)
    assert await moderate(service, CLEAN, BLOCKED) == ["block", "allow"]
    lexicon = (await editor.get(BASE)).json()
    assert (lexicon["version"], lexicon["unpublished_changes"]) == (f"shop-words@{version}", False)
    ended = (await editor.get(f"{BASE}/shadow")).json()
    assert (ended["running"], ended["messages"]) == (False, 4)
    assert (await editor.post(f"{BASE}/shadow/promote", json={})).status_code == 404
    assert (await editor.post(f"{BASE}/shadow", json={"version": version})).json()["code"] == "in_service"
    actions = [each["action"] for each in (await service.client.get("/v1/audit?limit=2")).json()["items"]]
    assert actions == ["shadow.promote", "shadow.start"]


async def test_what_may_not_run_as_a_shadow(service: Running, editor: httpx.AsyncClient) -> None:
    await editor.post(f"{BASE}/terms", json={**WORD, "hits": ["没有这个词"]})
    refused = await editor.post(f"{BASE}/shadow", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "lint_failed")
    assert (await editor.post(f"{BASE}/shadow", json={"version": "nothing"})).status_code == 404
    assert (await editor.post("/v1/lexicons/builtin/shadow", json={})).json()["code"] == "read_only"
    await editor.patch(f"{BASE}/terms/contact/安排发货", json={"hits": []}, headers={"If-Match": "*"})
    assert (await editor.post(f"{BASE}/shadow", json={})).status_code == 201
    await editor.post("/v1/lexicons", json={"name": "second"})
    second = await editor.post("/v1/lexicons/second/shadow", json={})
    assert (second.status_code, second.json()["code"]) == (409, "shadow_runs")
    stranger = service.as_key(await service.key("admin", tenant="other"))
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("POST", "/promote")):
        assert (await stranger.request(method, f"{BASE}/shadow{path}", json={})).status_code == 404
    assert (await editor.delete(f"{BASE}/shadow")).status_code == 204
    assert (await editor.delete(f"{BASE}/shadow")).status_code == 404
    assert service.state["pipeline"]._traffic.tenants == {}


async def test_another_worker_runs_the_shadow_within_a_second(service: Running, editor: httpx.AsyncClient) -> None:
    await editor.post(f"{BASE}/terms", json=WORD)
    async with running(service.state["pipeline"].live, service.state["settings"]) as second:
        await editor.post(f"{BASE}/shadow", json={})
        tenants = second.state["pipeline"]._traffic.tenants
        async with asyncio.timeout(1):
            while "default" not in tenants:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert await moderate(second, CLEAN) == ["allow"]
        assert (await report(editor, 1))["decisions"] == {"allow -> block": 1}
        # A policy that changes is the shadow's, too.
        soft = {"actions": {"contact": dict.fromkeys(("low", "medium", "high", "critical"), "allow")}}
        await editor.put("/v1/policies/kuaishou", json=soft)
        await second.state["watch"].catch_up("default")
        await moderate(second, CLEAN)
        assert (await report(editor, 2))["changed"] == 1


async def test_what_is_too_much_is_left_out_and_counted(
    service: Running, editor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.traffic.MAX_QUEUE", 0)
    await sample(service, 1.0)
    await editor.post(f"{BASE}/terms", json=WORD)
    await editor.post(f"{BASE}/shadow", json={})
    assert await moderate(service, CLEAN, CLEAN) == ["allow", "allow"]
    await service.state["pipeline"]._traffic.flush()
    seen = (await editor.get(f"{BASE}/shadow")).json()
    assert (seen["messages"], seen["skipped"]) == (0, 2)
    figures = (await service.client.get("/metrics")).text
    assert 'shenyan_traffic_dropped_total{part="sample"} 2.0' in figures
    assert 'shenyan_traffic_dropped_total{part="shadow"} 2.0' in figures
