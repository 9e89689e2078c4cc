"""Counts what leaves no incident: messages that were allowed, and how long answers took. In memory, written every few
seconds; a process that is killed loses at most what it has counted since.

    count(...) for each message -> a few numbers in memory -> one transaction every FLUSH_SECONDS -> hourly counts
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left

from service.clock import Clock
from service.record.database import Database
from service.record.flushing import Flushing
from service.record.hourly import CountKey, Numbers, add_counts, add_to
from service.record.withhold import storable
from service.vocabulary import ACTION_RANK, Action

FLUSH_SECONDS = 5.0
MAX_COUNTED = 20_000
"""Agents and hours that wait to be written; while the store is out for long, newer ones beyond that are not counted."""
BOUNDS_MS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0)
"""Upper bounds, included, of the latencies that are told apart."""
OVER = "over"
NAMES = (*(f"{bound:g}" for bound in BOUNDS_MS), OVER)

Who = tuple[str, int, str, str]
"""Tenant, hour, platform, shop."""


class HourlyCounter(Flushing):
    """One for each process. `count` costs about a microsecond and never waits."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(FLUSH_SECONDS, "hourly-counter")
        self._database = database
        self._clock = clock
        self._allowed: dict[tuple[Who, str], int] = {}
        self._latencies: dict[tuple[Who, int], list[int]] = {}
        self._flushing = asyncio.Lock()

    def count(self, tenant_id: str, platform: str, shop_id: str, agent_id: str, decision: Action, ms: float) -> None:
        """One message was decided. Warns and blocks leave incidents, which are counted where they are stored; of them
        only the latency counts here.
        """
        who = (tenant_id, int(self._clock.now().timestamp()) // 3600, platform, shop_id)
        if decision == "allow":
            agent = (who, agent_id)
            known = self._allowed.get(agent)
            if known is not None or len(self._allowed) < MAX_COUNTED:
                self._allowed[agent] = (known or 0) + 1
        latency = (who, bisect_left(BOUNDS_MS, ms))
        numbers = self._latencies.get(latency)
        if numbers is None:
            if len(self._latencies) >= MAX_COUNTED:
                return
            numbers = self._latencies[latency] = [0, 0, 0]
        numbers[ACTION_RANK[decision]] += 1

    async def flush(self) -> None:
        """Writes what was counted so far. Raises Unavailable, and keeps it, when the store is out."""
        async with self._flushing:
            allowed, self._allowed = self._allowed, {}
            latencies, self._latencies = self._latencies, {}
            try:
                if allowed or latencies:
                    async with self._database.write() as connection:
                        await add_counts(connection, summed(allowed, latencies))
            except BaseException:
                for agent, number in allowed.items():
                    self._allowed[agent] = self._allowed.get(agent, 0) + number
                for latency, numbers in latencies.items():
                    newer = self._latencies.get(latency, [0, 0, 0])
                    self._latencies[latency] = [one + other for one, other in zip(numbers, newer, strict=True)]
                raise


def summed(allowed: dict[tuple[Who, str], int], latencies: dict[tuple[Who, int], list[int]]) -> dict[CountKey, Numbers]:
    """What was counted, under the names by which it is stored."""
    counts: dict[CountKey, Numbers] = {}
    for ((tenant_id, hour, platform, shop_id), agent_id), number in allowed.items():
        shop_id, agent_id = storable(shop_id), storable(agent_id)
        keys = [
            CountKey(tenant_id, "decision", hour, platform, shop_id, ""),
            CountKey(tenant_id, "agent", hour, platform, shop_id, agent_id),
        ]
        add_to(counts, keys, 0, number)
    for ((tenant_id, hour, platform, shop_id), bound), numbers in latencies.items():
        key = CountKey(tenant_id, "latency", hour, platform, storable(shop_id), NAMES[bound])
        for index, number in enumerate(numbers):
            add_to(counts, [key], index, number)
    return counts
