"""Messages are read with those before them, and counted: only where they are sent, once each, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from service.live import Live
from service.replicas.fallback import NOT_REACHABLE
from service.settings import Settings
from tests.api.conftest import ADMIN, CLEAN, Running, message, running
from tests.redis_server import RedisServer, find_binary, run_redis

PIECES = ("微", "信", "abc123")


def said(text: str, **fields: Any) -> dict[str, Any]:
    return message(text, **{"conversation_id": "c-1", **fields})


async def send(client: httpx.AsyncClient, text: str, **fields: Any) -> dict[str, Any]:
    response = await client.post("/v1/moderate", json=said(text, **fields))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_a_word_in_three_messages(client: httpx.AsyncClient) -> None:
    answers = [await send(client, text, message_id=f"m-{i}") for i, text in enumerate(PIECES)]
    assert [answer["decision"] for answer in answers] == ["allow", "allow", "block"]
    (finding,) = answers[-1]["findings"]
    assert finding["message_ids"] == ["m-0", "m-1", "m-2"]
    assert (finding["start"], finding["end"], finding["text"]) == (0, 6, "abc123")
    assert "split_messages" in finding["disguises"]
    incident = (await client.get(f"/v1/incidents/{answers[-1]['incident_id']}")).json()
    assert incident["findings"][0]["message_ids"] == ["m-0", "m-1", "m-2"]


async def test_a_request_stands_for_a_message_without_id(client: httpx.AsyncClient) -> None:
    answers = [await send(client, text) for text in PIECES]
    assert answers[-1]["findings"][0]["message_ids"] == [answer["request_id"] for answer in answers]


async def test_a_finding_of_one_message_names_none(client: httpx.AsyncClient) -> None:
    answer = await send(client, "这款是高仿的")
    assert all("message_ids" not in finding for finding in answer["findings"])


@pytest.mark.parametrize("other", [
    {"conversation_id": "c-2"}, {"agent_id": "agent-2"}, {"shop_id": "shop-2"}, {"conversation_id": None},
])  # fmt: skip
async def test_other_conversations_are_others(client: httpx.AsyncClient, other: dict[str, Any]) -> None:
    await send(client, "微")
    await send(client, "信")
    assert (await send(client, "abc123", **other))["decision"] == "allow"


async def test_another_tenants_conversation_is_another(service: Running, client: httpx.AsyncClient) -> None:
    await send(client, "加我微")
    async with service.as_key(await service.key("client", tenant="other")) as other:
        assert (await send(other, "信聊"))["decision"] == "allow"
    assert (await send(client, "信聊"))["decision"] == "block"


async def test_analyze_neither_reads_nor_remembers(client: httpx.AsyncClient) -> None:
    async def analyze(text: str) -> str:
        decision: str = (await client.post("/v1/analyze", json=said(text))).json()["decision"]
        return decision

    assert await analyze("这款是高") == "allow"
    assert (await send(client, "仿的"))["decision"] == "allow"
    await send(client, "这款是高")
    assert await analyze("仿的") == "allow"
    assert (await send(client, "仿的"))["decision"] == "block"


async def test_what_was_blocked_was_not_said_and_what_warned_was(client: httpx.AsyncClient) -> None:
    assert (await send(client, "这款是高仿的，加我微"))["decision"] == "block"
    assert (await send(client, "信聊"))["decision"] == "allow"
    assert (await send(client, "全网最低价，加我微", conversation_id="c-2"))["decision"] == "warn"
    blocked = [await send(client, "信聊", conversation_id="c-2") for _ in range(2)]
    assert [answer["decision"] for answer in blocked] == ["block", "block"]


async def test_a_retry_is_read_as_it_was_first(client: httpx.AsyncClient) -> None:
    await send(client, "加我微", message_id="m-1")
    first = await send(client, "信聊", message_id="m-2")
    await send(client, "好的", message_id="m-3")
    assert await send(client, "信聊", message_id="m-2") == first | {"replayed": True}
    assert (await send(client, "加我微", message_id="m-1"))["replayed"]
    assert (await send(client, "在的", message_id="m-4"))["decision"] == "allow"


async def test_a_batch_is_read_in_its_order(client: httpx.AsyncClient) -> None:
    rows = [said(text, conversation_id=f"c-{n}") for text in ("138", "0013", "8000") for n in range(10)]
    body = {"messages": [message(CLEAN), *rows, {"text": "?"}]}
    results = (await client.post("/v1/moderate/batch", json=body)).json()["results"]
    assert [each["status"] for each in results] == [200] * 31 + [422]
    assert [each["body"]["decision"] for each in results[:31]] == ["allow"] * 21 + ["block"] * 10


async def test_the_same_thing_again_and_again(client: httpx.AsyncClient) -> None:
    text = "请问您收到我们的宝贝了吗"
    fields = {"conversation_id": None, "customer_id": "k-1", "platform": "pinduoduo"}
    noon = datetime(2026, 3, 1, 4, tzinfo=UTC)
    times = [(noon + timedelta(seconds=number)).isoformat() for number in range(4)]
    answers = [await send(client, text, **fields, sent_at=time) for time in times]
    assert [answer["decision"] for answer in answers] == ["allow"] * 3 + ["warn"]
    (finding,) = answers[-1]["findings"]
    assert finding["category"] == "harassment"
    assert finding["detector"] == "frequency"
    assert (finding["field"], finding["start"], finding["end"]) == ("conversation", 0, 0)
    assert finding["clauses"] == ["pinduoduo 2.4"]
    assert finding["reason"] == "2 分钟内重复发送相同内容 4 次（12:00）"
    assert answers[-1]["masked_text"] == text
    assert (await send(client, text, **{**fields, "customer_id": "k-2"}, sent_at=times[-1]))["decision"] == "allow"


async def test_a_retry_counts_once(client: httpx.AsyncClient) -> None:
    for _ in range(20):
        answer = await send(client, "请问您收到我们的宝贝了吗", message_id="m-1")
    assert answer["decision"] == "allow"
    assert (await send(client, "请问您收到我们的宝贝了吗", message_id="m-2"))["decision"] == "allow"


@pytest.mark.parametrize(("timezone", "decision"), [("Asia/Shanghai", "warn"), ("America/New_York", "allow")])
async def test_the_night_is_where_the_shop_is(client: httpx.AsyncClient, timezone: str, decision: str) -> None:
    await client.put("/v1/shops/shop-1", json={"platform": "kuaishou", "timezone": timezone})
    three = datetime(2026, 3, 1, 19, tzinfo=UTC)
    times = [(three + timedelta(seconds=20 * number)).isoformat() for number in range(12)]
    rows = [
        said(f"亲，看到请回复我一下哦{'一二三四五六七八九十百千'[n]}", sent_at=time) for n, time in enumerate(times)
    ]
    response = await client.post("/v1/moderate/batch", json={"messages": rows}, headers={"Accept-Language": "en"})
    answers = [each["body"] for each in response.json()["results"]]
    assert [answer["decision"] for answer in answers] == ["allow"] * 11 + [decision]
    reasons = [finding["reason"] for finding in answers[-1]["findings"]]
    assert reasons == (["12 messages in 5 minutes at 03:03"] if decision == "warn" else [])


async def test_a_lively_chat_by_day_passes(client: httpx.AsyncClient) -> None:
    noon = datetime(2026, 3, 1, 4, tzinfo=UTC)
    texts = ["在的", "好的", "您稍等", "好的", "这边看一下", "有货的", "好的", "今天发", "嗯嗯", "好的"]
    for number, text in enumerate(texts):
        sent_at = (noon + timedelta(seconds=12 * number)).isoformat()
        assert (await send(client, text, sent_at=sent_at))["findings"] == []


def with_redis(folder: Path, database_url: str, url: str, timeout: float) -> Settings:
    return Settings(
        data_dir=folder, database_url=database_url, admin_key=SecretStr(ADMIN), redis_url=url, redis_timeout=timeout
    )


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    if find_binary() is None:
        pytest.skip("no redis-server here")
    with run_redis() as server:
        yield server


async def test_replicas_share_conversations_and_outlive_their_server(
    live: Live, tmp_path: Path, database_url: str, redis_server: RedisServer
) -> None:
    settings = with_redis(tmp_path, database_url, redis_server.url, 5.0)
    async with running(live, settings) as one, running(live, settings) as two:
        await send(one.client, "加我微")
        found = await send(two.client, "信聊")
        assert (found["decision"], found["degraded"]) == ("block", [])
        redis_server.stop()
        await send(one.client, "加我微", conversation_id="c-2")
        alone = await send(one.client, "信聊", conversation_id="c-2")
        assert (alone["decision"], alone["degraded"]) == ("block", [NOT_REACHABLE])


async def test_a_server_that_was_never_there_is_named(live: Live, tmp_path: Path, database_url: str) -> None:
    settings = with_redis(tmp_path, database_url, "redis://127.0.0.1:1/0", 0.05)
    async with running(live, settings) as started:
        answer = await send(started.client, CLEAN)
        assert (answer["decision"], answer["degraded"]) == ("allow", [NOT_REACHABLE])
        # Whoever belongs to no conversation needs no server.
        assert (await send(started.client, CLEAN, conversation_id=None))["degraded"] == []


async def test_the_document_tells_of_message_ids(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()["components"]["schemas"]["FindingOut"]
    assert schema["properties"]["message_ids"]["items"] == {"type": "string"}
    assert "message_ids" not in schema["required"]
