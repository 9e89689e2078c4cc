"""Conversations and rates in Redis or Valkey, shared by all replicas. The only file that knows the library (redis).

A window is a list in the order of arrival, a count a sorted set by time of arrival. One message is one round trip: a
transaction that adds to both and reads both. Keys are hashes, and all of them expire.
"""

from __future__ import annotations

from typing import Any

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from service.errors import Unavailable
from service.lexicon.frequency import HIGHEST_COUNT, LONGEST_WINDOW
from service.replicas.conversation import Attempt, Bounds, Counted, Recent, Said, read_pace, read_window

SAID = msgspec.json.Decoder(Said)
COUNTED = msgspec.json.Decoder(Counted)
MAX_CONNECTIONS = 32


class RedisConversations:
    """A ConversationStore; its methods raise Unavailable when the server does not answer or refuses."""

    def __init__(self, client: Redis, bounds: Bounds) -> None:
        self._client = client
        self._bounds = bounds

    @classmethod
    def connect(cls, url: str, bounds: Bounds, timeout: float) -> RedisConversations:
        """The store at `url`; nothing is sent yet. `timeout`: seconds that connecting, and an answer, may take."""
        return cls(connect(url, timeout), bounds)

    @property
    def lost(self) -> bool:
        return False

    async def append(self, attempt: Attempt, now: float) -> Recent:
        window, counter = keys_of(attempt)
        try:
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.rpush(window, msgspec.json.encode(attempt.said))
                pipe.ltrim(window, -self._bounds.stored, -1)
                pipe.lrange(window, 0, -1)
                pipe.pexpire(window, int(self._bounds.seconds * 1000))
                pipe.zadd(counter, {msgspec.json.encode(attempt.counted): now}, nx=True)
                pipe.zremrangebyscore(counter, "-inf", now - LONGEST_WINDOW)
                pipe.zremrangebyrank(counter, 0, -HIGHEST_COUNT - 1)
                pipe.zrange(counter, 0, -1)
                pipe.pexpire(counter, LONGEST_WINDOW * 1000)
                results: list[Any] = await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable("Redis does not answer", retry_after=1.0) from error
        said, counted = map(SAID.decode, results[2]), map(COUNTED.decode, results[7])
        return Recent(read_window(said, attempt, self._bounds), read_pace(counted, attempt))

    async def withdraw(self, attempt: Attempt) -> None:
        window, counter = keys_of(attempt)
        try:
            async with self._client.pipeline(transaction=True) as pipe:
                # The one that came last: an equal one before it was sent.
                pipe.lrem(window, -1, msgspec.json.encode(attempt.said).decode())
                pipe.zrem(counter, msgspec.json.encode(attempt.counted))
                await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable("Redis does not answer", retry_after=1.0) from error

    async def close(self) -> None:
        await self._client.aclose()
        await self._client.connection_pool.disconnect()


class RedisRates:
    """SharedRates: a number for each key, which expires when its window ends."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def hit(self, key: str, milliseconds: int, count: int = 1) -> tuple[int, int]:
        name = f"shenyan:rate:{key}"
        try:
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.set(name, 0, px=milliseconds, nx=True)
                pipe.incrby(name, count)
                pipe.pttl(name)
                _, number, left = await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable("Redis does not answer", retry_after=1.0) from error
        return int(number), int(left)

    async def give_back(self, key: str, milliseconds: int, count: int) -> None:
        # Where the window has just ended, what is given back ends with it.
        await self.hit(key, milliseconds, -count)

    async def close(self) -> None:
        await self._client.aclose()
        await self._client.connection_pool.disconnect()


def connect(url: str, timeout: float) -> Redis:
    """A client for `url` with connections of its own. Raises ValueError for an address that is none."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        # Once more, at once: the server may have closed an idle connection.
        retry=Retry(NoBackoff(), 1),
        protocol=2,
    )
    return Redis(connection_pool=pool)


def keys_of(attempt: Attempt) -> tuple[str, str]:
    """In braces what a cluster chooses the node by: a transaction stays on one."""
    return f"shenyan:{{{attempt.group}}}:w:{attempt.window}", f"shenyan:{{{attempt.group}}}:c:{attempt.counter}"
