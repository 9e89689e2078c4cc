"""What whoever runs the service asks of it."""

from __future__ import annotations

import httpx
import pytest

from service.api.vitals import RED_SECONDS
from service.errors import Unavailable
from tests.api.conftest import BLOCKED, CLEAN, Running, message


async def test_alive_and_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).json() == {"status": "alive"}
    ready = (await client.get("/readyz")).json()
    assert (ready["status"], ready["store"]) == ("ready", "reachable")
    assert ready["engine"].startswith("builtin@")
    assert [(await client.head(path)).status_code for path in ("/livez", "/readyz")] == [200, 200]


async def test_ready_while_either_the_store_or_the_journal_is(
    service: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise Unavailable("nobody answers")

    monkeypatch.setattr(service.state["database"], "ping", fail)
    ready = (await client.get("/readyz")).json()
    assert (ready["store"], ready["journal"], ready["waiting"]) == ("nobody answers", "writable", 0)
    monkeypatch.setattr(service.state["recording"].journal, "_problem", "not writable: disk full")
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "not_ready")
    assert response.json()["detail"] == "store: nobody answers; journal: not writable: disk full"
    assert (await client.get("/livez")).status_code == 200


async def test_a_failure_long_ago_is_forgiven(
    service: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.state["pipeline"], "seconds_since_failure", lambda: RED_SECONDS)
    assert (await client.get("/readyz")).status_code == 200


async def test_figures_without_texts_or_ids(client: httpx.AsyncClient) -> None:
    await client.post("/v1/moderate", json=message(CLEAN, agent_id="agent-with-a-name"))
    await client.post("/v1/moderate", json=message(BLOCKED))
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert 'shenyan_decisions_total{action="allow",platform="kuaishou"} 1.0' in response.text
    assert 'shenyan_decisions_total{action="block",platform="kuaishou"} 1.0' in response.text
    for stage in ("decode", "decide", "record", "total"):
        assert f'shenyan_stage_seconds_count{{stage="{stage}"}} 2.0' in response.text
    assert "agent-with-a-name" not in response.text
