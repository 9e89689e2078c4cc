"""Two services of their own over one PostgreSQL and one Redis behave as one, and as two when Redis is gone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from tests.redis_server import RedisServer
from tests.serving import run_service

ADMIN = "test-admin-key"


@pytest.fixture
def backend() -> str:
    return "postgresql"


@dataclass
class Pair:
    """Both services, and what they share."""

    one: httpx.Client
    other: httpx.Client
    redis: RedisServer

    def moderate(self, client: httpx.Client, text: str, key: str = ADMIN, **fields: Any) -> httpx.Response:
        body = {"text": text, "platform": "pinduoduo", "shop_id": "s", "agent_id": "a", **fields}
        return client.post("/v1/moderate", json=body, headers={"Authorization": f"Bearer {key}"})

    def in_pieces(self, one: httpx.Client, other: httpx.Client, **fields: Any) -> dict[str, Any]:
        """The answer to the last of three messages that spell an account, sent in turns."""
        for client, piece in ((one, "微"), (other, "信")):
            assert self.moderate(client, piece, **fields).json()["decision"] == "allow"
        answer: dict[str, Any] = self.moderate(one, "abc123", **fields).json()
        return answer


@pytest.fixture
def pair(database_url: str, redis_server: RedisServer, tmp_path: Path) -> Iterator[Pair]:
    settings = {
        "SHENYAN_ADMIN_KEY": ADMIN,
        "SHENYAN_DATABASE_URL": database_url,
        "SHENYAN_REDIS_URL": redis_server.url,
        # A busy machine must not look like a lost Redis.
        "SHENYAN_REDIS_TIMEOUT": "2",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }

    def start(name: str) -> tuple[AbstractContextManager[str], str]:
        folder = tmp_path / name
        folder.mkdir()
        own = {**settings, "SHENYAN_DATA_DIR": str(folder / "var")}
        running = run_service([sys.executable, "-m", "service", "serve"], folder, own)
        return running, running.__enter__()

    with ExitStack() as stack, ThreadPoolExecutor(2) as threads:
        clients = []
        for starting in [threads.submit(start, name) for name in ("one", "other")]:
            running, url = starting.result()
            stack.push(running)
            headers = {"Authorization": f"Bearer {ADMIN}"}
            clients.append(stack.enter_context(httpx.Client(base_url=url, headers=headers, trust_env=False)))
        one, other = clients
        yield Pair(one, other, redis_server)


def until(client: httpx.Client, text: str, seconds: float = 5) -> float:
    """How long it takes until the word is blocked there."""
    began = monotonic()
    while client.post("/v1/analyze", json={"text": text, "platform": "pinduoduo"}).json()["decision"] != "block":
        assert monotonic() < began + seconds
        sleep(0.02)
    return monotonic() - began


def test_two_replicas_behave_as_one(pair: Pair) -> None:
    one, other = pair.one, pair.other
    # A conversation: the halves of a word go through different replicas.
    split = pair.in_pieces(one, other, conversation_id="c")
    assert (split["decision"], split["degraded"]) == ("block", [])
    assert len(split["findings"][0]["message_ids"]) == 3

    # Frequency: the same message to one customer, in turns.
    turns = [pair.moderate([one, other][n % 2], "亲亲在吗", customer_id="pace").json() for n in range(12)]
    assert turns[0]["decision"] == "allow"
    assert any(found["detector"] == "frequency" for each in turns for found in each["findings"])

    # A retry elsewhere: the stored answer, and one incident.
    first = pair.moderate(one, "加微信", message_id="m-1").json()
    again = pair.moderate(other, "加微信", message_id="m-1").json()
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["incident_id"] == first["incident_id"]
    assert pair.moderate(other, "加威信", message_id="m-1").status_code == 409
    assert (
        one.get(f"/v1/incidents/{first['incident_id']}").json()
        == other.get(f"/v1/incidents/{first['incident_id']}").json()
    )

    # News: what one publishes the other serves within a second.
    one.post("/v1/lexicons", json={"name": "shop-words"})
    term = {"pattern": "蓝鸽号", "category": "contact", "severity": "high", "match": "substring"}
    assert one.post("/v1/lexicons/shop-words/terms", json=term).status_code == 201
    assert one.post("/v1/lexicons/shop-words/publish", json={}).status_code == 200
    assert until(other, "留个蓝鸽号") < 1

    # The rate of a key, and then Redis is lost: decisions go on, say so, and each counts for itself.
    made = one.post("/v1/keys", json={"name": "till", "role": "client", "rate_limit": "3/day"}).json()["key"]
    statuses = [pair.moderate(client, "好的", made).status_code for client in (one, other, one, other, one)]
    assert statuses == [200, 200, 200, 429, 429]
    other_made = one.post("/v1/keys", json={"name": "till 2", "role": "client", "rate_limit": "3/day"}).json()["key"]
    pair.redis.stop()
    try:
        alone = pair.moderate(one, "在的", other_made, conversation_id="d").json()
        assert alone["decision"] == "allow"
        assert sorted(alone["degraded"]) == ["conversation: redis not reachable", "rate limit: redis not reachable"]
        assert pair.in_pieces(one, one, conversation_id="e")["decision"] == "block"
        assert [pair.moderate(one, "好的", other_made).status_code for _ in range(3)] == [200, 200, 429]
        assert "shenyan_redis_well 0.0" in one.get("/metrics").text
        assert one.get("/readyz").status_code == 200
    finally:
        pair.redis.start()
    for client in (one, other):
        give_up = monotonic() + 5
        while pair.moderate(client, "在的", conversation_id="f").json()["degraded"]:
            assert monotonic() < give_up
            sleep(0.05)
    assert pair.in_pieces(one, other, conversation_id="g")["decision"] == "block"
