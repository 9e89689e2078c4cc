"""A draft against real messages, over HTTP: in the background, both ways, the worst first."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.record.samples import TrafficSample, add_samples
from tests.api.conftest import BLOCKED, CLEAN, Running, message
from tests.record.factories import NOW

BASE = "/v1/lexicons/shop-words"
TERM = {"pattern": "安排发货", "category": "contact", "severity": "critical", "match": "substring"}


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def editor(service: Running) -> httpx.AsyncClient:
    client = service.as_key(await service.key("editor"))
    await client.post("/v1/lexicons", json={"name": "shop-words"})
    await client.post(f"{BASE}/terms", json=TERM)
    return client


async def finished(editor: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    """The job when it has come to its end."""
    started = await editor.post(f"{BASE}/backtest", json=body)
    assert started.status_code == 202, started.text
    async with asyncio.timeout(60):
        while True:
            job: dict[str, Any] = (await editor.get(started.headers["location"])).json()
            if job["finished_at"]:
                return job
            await asyncio.sleep(0.05)


async def test_what_a_draft_would_change_both_ways(service: Running, editor: httpx.AsyncClient) -> None:
    found = (await service.client.post("/v1/analyze", json={"text": BLOCKED, "platform": "kuaishou"})).json()
    for term_id in {each["term_id"] for each in found["findings"]}:
        await editor.post(f"{BASE}/terms", json={"id": term_id, "state": "off"})
    messages = [{"text": CLEAN, "platform": "taobao"}] * 30 + [{"text": BLOCKED, "platform": "kuaishou"}] * 5
    job = await finished(editor, {"messages": [*messages, {"text": "您好"}]})
    assert (job["state"], job["done"], job["total"], job["progress"]) == ("done", 36, 36, 1.0), job
    result = job["result"]
    assert (result["messages"], result["changed"]) == (36, 35)
    assert result["decisions"] == {"allow -> block": 30, "block -> allow": 5}
    assert result["stricter"][0]["text"] == CLEAN
    assert result["looser"][0]["text"] == BLOCKED
    assert result["terms"][0] == {"term": "contact/安排发货", "before": 0, "after": 30}
    assert result["version"] == (await editor.get(f"{BASE}/draft")).json()["draft_version"]

    await service.client.post("/v1/moderate", json=message(BLOCKED))
    recorded = await finished(editor, {"source": "incidents"})
    assert (recorded["result"]["messages"], recorded["result"]["decisions"]) == (1, {"block -> allow": 1})

    rows = [(CLEAN, NOW), ("您好", NOW), (CLEAN, NOW - timedelta(days=2))]
    samples = [
        TrafficSample(id=str(number), tenant_id="default", at=at, platform="jd", channel="chat", text=text)
        for number, (text, at) in enumerate(rows)
    ]
    await add_samples(service.state["database"], samples)
    since = (NOW - timedelta(days=1)).isoformat()
    sampled = await finished(editor, {"source": "sample", "since": since})
    assert (sampled["result"]["messages"], sampled["result"]["decisions"]) == (2, {"allow -> block": 1})


@pytest.mark.parametrize(
    "body", [{}, {"messages": []}, {"source": "incidents", "messages": [{"text": "x"}]}, {"messages": [{"x": 1}]}]
)
async def test_a_bad_request(editor: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await editor.post(f"{BASE}/backtest", json=body)).status_code == 422


async def test_a_draft_that_does_not_compile_is_a_failed_job(editor: httpx.AsyncClient) -> None:
    await editor.post(f"{BASE}/terms", json={**TERM, "pattern": "！！", "id": "contact/x"})
    job = await finished(editor, {"messages": [{"text": "您好"}]})
    assert (job["state"], "contact/x" in job["problem"]) == ("failed", True)


async def test_a_job_of_another_tenant_is_not_there(service: Running, editor: httpx.AsyncClient) -> None:
    job = await finished(editor, {"messages": [{"text": "您好"}]})
    stranger = service.as_key(await service.key("admin", tenant="other"))
    assert (await stranger.get(f"/v1/jobs/{job['id']}")).status_code == 404
