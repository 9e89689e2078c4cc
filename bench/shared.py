"""What Redis or Valkey carries: processor time and memory for each message that belongs to a conversation."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from redis import Redis
from uuid_utils import uuid7

from service.replicas.conversation import Bounds, make_attempt
from service.replicas.redis import RedisConversations, RedisRates, connect
from tests.redis_server import run_redis

NUMBER = 20_000
CALLERS = 32
TEXT = "亲，您的订单已经安排发货了，预计后天到达，请您留意查收短信"


def measure_redis() -> dict[str, float]:
    """Figure -> value; each name ends in its unit."""
    with run_redis() as server, Redis.from_url(server.url, protocol=2) as client:
        before = info(client)
        asyncio.run(append(server.url))
        after = info(client)
        asyncio.run(hit(server.url))
        last = info(client)
        keys = int(str(client.dbsize())) - 1
    return {
        "redis_us_per_message": (after["cpu"] - before["cpu"]) / NUMBER * 1e6,
        "redis_commands_per_message": (after["commands"] - before["commands"]) / NUMBER,
        "redis_bytes_per_conversation": (after["memory"] - before["memory"]) / (keys / 2),
        "redis_us_per_limited_request": (last["cpu"] - after["cpu"]) / NUMBER * 1e6,
    }


async def append(url: str) -> None:
    """A fifth as many conversations as messages, each with a customer of its own."""
    store = RedisConversations.connect(url, Bounds(), 5.0)

    async def caller(place: int) -> None:
        for number in range(place, NUMBER, CALLERS):
            attempt = make_attempt(
                tenant="default", shop="shop", agent=f"agent-{number % 500}", conversation=f"c-{number % (NUMBER // 5)}",
                customer=f"u-{number % (NUMBER // 5)}", key=str(uuid7()), message_id=str(uuid7()), text=TEXT,
                at=time.time(),
            )  # fmt: skip
            assert attempt is not None
            await store.append(attempt, time.time())

    await asyncio.gather(*map(caller, range(CALLERS)))
    await store.close()


async def hit(url: str) -> None:
    rates = RedisRates(connect(url, 5.0))

    async def caller(place: int) -> None:
        for _ in range(place, NUMBER, CALLERS):
            await rates.hit("key:1000000/day", 86_400_000)

    await asyncio.gather(*map(caller, range(CALLERS)))
    await rates.close()


def info(client: Any) -> dict[str, float]:
    found = client.info()
    return {
        "cpu": found["used_cpu_user"] + found["used_cpu_sys"],
        "commands": found["total_commands_processed"],
        "memory": found["used_memory_dataset"],
    }
