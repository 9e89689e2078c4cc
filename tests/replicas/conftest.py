"""Each test of a store runs in memory and on a real Redis server.

Where no server can be had, an imitation of it stands in, and a test that is skipped says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import fakeredis
import pytest

from service.replicas.conversation import Attempt, Bounds, ConversationStore, make_attempt
from service.replicas.memory import MemoryConversations
from service.replicas.redis import RedisConversations
from tests.redis_server import RedisServer, find_binary, run_redis

NOON = 1_790_000_000.0
BOUNDS = Bounds(messages=4, seconds=120.0, conversations=3)
PATIENT = 30.0
"""Seconds; a busy machine must not fail a test that is about something else."""


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One server for the whole run; whoever stops it starts it again."""
    if find_binary() is None:
        pytest.skip("no redis-server here")
    with run_redis() as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[ConversationStore]:
    """An empty store."""
    if request.param == "memory":
        yield MemoryConversations(BOUNDS)
        return
    if find_binary() is None:
        client = fakeredis.FakeAsyncRedis(server=fakeredis.FakeServer())
        yield RedisConversations(client, BOUNDS)
        await client.aclose()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    redis = RedisConversations.connect(server.url, BOUNDS, PATIENT)
    await redis._client.flushall()
    yield redis
    await redis.close()


def attempt(
    text: str = "微",
    key: str = "1",
    at: float = NOON,
    *,
    tenant: str = "t",
    shop: str = "s",
    agent: str = "a",
    conversation: str | None = "c",
    customer: str | None = None,
) -> Attempt:
    """A message, unlike another only where a test says so."""
    made = make_attempt(
        tenant=tenant, shop=shop, agent=agent, conversation=conversation, customer=customer,
        key=key, message_id=f"m-{key}", text=text, at=at,
    )  # fmt: skip
    assert made is not None
    return made
