"""A lost, frozen or lying Redis: decisions go on, say so, and notice when it is back."""

from __future__ import annotations

from time import perf_counter

import pytest
from redis.asyncio import Redis

from service.replicas.conversation import Bounds, Recent
from service.replicas.fallback import NOT_REACHABLE, FallbackConversations
from service.replicas.memory import MemoryConversations
from service.replicas.pause import PAUSE
from service.replicas.redis import RedisConversations, keys_of
from tests.redis_server import RedisServer
from tests.replicas.conftest import BOUNDS, NOON, attempt

TIMEOUT = 0.05


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def over(url: str, hands: Hands, timeout: float = TIMEOUT) -> FallbackConversations:
    shared = RedisConversations.connect(url, BOUNDS, timeout)
    return FallbackConversations(shared, MemoryConversations(BOUNDS), timeout, hands)


def texts(recent: Recent) -> list[str]:
    return [each.text for each in recent.earlier]


async def test_nobody_is_there_from_the_start() -> None:
    store = over("redis://127.0.0.1:1/0", Hands())
    first = await store.append(attempt("微", "1"), NOON)
    second = await store.append(attempt("信", "2"), NOON)
    await store.withdraw(attempt("信", "2"))
    assert first.degraded == second.degraded == (NOT_REACHABLE,)
    assert texts(second) == ["微"]
    await store.close()


async def test_lost_and_found_again(redis_server: RedisServer) -> None:
    hands = Hands()
    store = over(redis_server.url, hands, 5.0)
    assert (await store.append(attempt("微", "1", conversation="lost"), NOON)).degraded == ()
    redis_server.stop()
    lost = await store.append(attempt("信", "2", conversation="lost"), NOON)
    assert lost.degraded == (NOT_REACHABLE,)
    # This process saw it.
    assert texts(lost) == ["微"]
    redis_server.start()
    # Nobody asks so soon.
    assert (await store.append(attempt("号", "3", conversation="lost"), NOON)).degraded == (NOT_REACHABLE,)
    hands.now += PAUSE
    assert (await store.append(attempt("码", "4", conversation="lost"), NOON)).degraded == ()
    assert (await store.append(attempt("是", "5", conversation="lost"), NOON)).degraded == ()
    await store.close()


async def test_a_frozen_server_costs_one_message_a_moment_and_the_others_nothing(redis_server: RedisServer) -> None:
    hands = Hands()
    store = over(redis_server.url, hands)
    redis_server.freeze()
    try:
        took = []
        for number in range(20):
            started = perf_counter()
            recent = await store.append(attempt("微", f"{number}", conversation="frozen"), NOON)
            took.append(perf_counter() - started)
            assert recent.degraded == (NOT_REACHABLE,)
            await store.withdraw(attempt("微", f"{number}", conversation="frozen"))
    finally:
        redis_server.thaw()
    assert sum(each > TIMEOUT / 2 for each in took) <= 2
    assert max(took) < 1
    await store.close()


async def test_whoever_finds_out_goes_alone(redis_server: RedisServer) -> None:
    hands = Hands()
    store = over("redis://127.0.0.1:1/0", hands)
    await store.append(attempt(), NOON)
    hands.now += PAUSE
    assert store._pause.may_ask()
    assert not store._pause.may_ask()
    await store.close()


async def test_a_key_that_holds_something_else_is_a_failure_of_the_store(redis_server: RedisServer) -> None:
    client = Redis.from_url(redis_server.url, protocol=2)
    window, _ = keys_of(attempt(conversation="odd"))
    await client.set(window, "text")
    store = over(redis_server.url, Hands(), 5.0)
    assert (await store.append(attempt(conversation="odd"), NOON)).degraded == (NOT_REACHABLE,)
    await client.delete(window)
    await client.aclose()
    await store.close()


async def test_everything_in_redis_expires_and_names_nobody(redis_server: RedisServer) -> None:
    client = Redis.from_url(redis_server.url, protocol=2, decode_responses=True)
    await client.flushall()
    store = RedisConversations.connect(redis_server.url, Bounds(seconds=7.0), 5.0)
    await store.append(attempt("微", "1", agent="Secret Name", conversation="c", customer="13800138000"), NOON)
    keys = [str(key) for key in await client.keys("*")]
    assert len(keys) == 2
    assert not any(name in key for key in keys for name in ("Secret", "13800138000"))
    assert sorted([await client.pttl(key) > 0 for key in keys]) == [True, True]
    await store.close()
    await client.aclose()


@pytest.mark.parametrize("kind", ["window", "count"])
async def test_the_next_replica_sees_what_the_last_one_remembered(redis_server: RedisServer, kind: str) -> None:
    first, second = (RedisConversations.connect(redis_server.url, BOUNDS, 30.0) for _ in range(2))
    await first.append(attempt("微", "1", conversation=kind), NOON)
    recent = await second.append(attempt("信", "2", conversation=kind), NOON)
    assert recent.pace is not None
    assert (texts(recent), len(recent.pace.sent)) == (["微"], 1)
    await first.close()
    await second.close()
