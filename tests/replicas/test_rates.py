"""Rates of keys: counted together by all who share a Redis, and by each for itself while it is lost."""

from __future__ import annotations

from service.replicas.pause import PAUSE
from service.replicas.rates import Rates
from service.replicas.redis import RedisRates, connect
from tests.redis_server import RedisServer
from tests.replicas.test_fallback import Hands

TIMEOUT = 5.0


def over(url: str, hands: Hands, timeout: float = TIMEOUT) -> Rates:
    return Rates(RedisRates(connect(url, timeout)), timeout, hands)


async def hits(rates: Rates, number: int, key: str = "k") -> list[bool]:
    """Which of so many requests may come in."""
    return [await rates.hit(key, "3/day") == 0 for _ in range(number)]


async def test_a_process_alone() -> None:
    rates = Rates()
    assert await hits(rates, 5) == [True, True, True, False, False]
    assert await hits(rates, 1, "other") == [True]
    assert 0 < await rates.hit("k", "3/day") <= 86_400
    assert not rates.lost


async def test_a_batch_counts_its_messages_and_none_when_it_is_too_large(redis_server: RedisServer) -> None:
    for rates in (Rates(), over(redis_server.url, Hands())):
        assert await rates.hit("batch", "10/day", 6) == 0
        assert 0 < await rates.hit("batch", "10/day", 5) <= 86_400
        assert await rates.hit("batch", "10/day", 4) == 0
        assert await rates.hit("batch", "10/day") > 0
        await rates.close()


async def test_two_processes_count_together(redis_server: RedisServer) -> None:
    one, other = over(redis_server.url, Hands()), over(redis_server.url, Hands())
    assert await hits(one, 2, "shared") == [True, True]
    assert await hits(other, 2, "shared") == [True, False]
    assert 86_000 < await one.hit("shared", "3/day") <= 86_400
    await one.close()
    await other.close()


async def test_a_window_ends(redis_server: RedisServer) -> None:
    shared = RedisRates(connect(redis_server.url, TIMEOUT))
    assert (await shared.hit("short", 50))[0] == 1
    number, left = await shared.hit("short", 50)
    assert number == 2
    assert left <= 50
    while (await shared.hit("short", 50))[0] > 1:
        pass
    await shared.close()


async def test_lost_and_found_again(redis_server: RedisServer) -> None:
    hands = Hands()
    rates = over(redis_server.url, hands)
    assert await hits(rates, 2, "lost") == [True, True]
    redis_server.stop()
    # What this process has let in already counts.
    assert await hits(rates, 2, "lost") == [True, False]
    assert rates.lost
    redis_server.start()
    assert await hits(rates, 1, "lost") == [False]
    hands.now += PAUSE
    assert await hits(rates, 1, "lost") == [True]
    assert not rates.lost
    await rates.close()


async def test_nobody_is_there_from_the_start() -> None:
    rates = over("redis://127.0.0.1:1/0", Hands())
    assert await hits(rates, 4) == [True, True, True, False]
    await rates.close()
