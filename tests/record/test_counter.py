"""Counting in memory: nothing is lost while the process lives, nothing is counted twice."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import pytest

from service.clock import FixedClock
from service.errors import Unavailable
from service.record import counter
from service.record.counter import BOUNDS_MS, HourlyCounter
from service.record.database import Database
from service.record.hourly import HourFilters, Kind, hour_of, read_counts
from tests.record.factories import NOW


async def read(database: Database, kind: Kind, tenant: str = "acme") -> dict[tuple[int, str], tuple[int, ...]]:
    ever = HourFilters(first=0, end=10**9)
    rows = await read_counts(database, tenant, kind, ever, width=1, offset=0, limit=1000)
    return {(row.bucket, row.name): row.numbers for row in rows}


async def test_allowed_messages_and_latencies(database: Database) -> None:
    clock = FixedClock(NOW)
    counts = HourlyCounter(database, clock)
    for agent, decision, ms in (
        ("a", "allow", 0.1),
        ("a", "allow", 0.11),
        ("b\0", "allow", 5000.0),
        ("a", "block", 0.3),
    ):
        counts.count("acme", "jd", "s", agent, decision, ms)  # type: ignore[arg-type]
    await counts.flush()
    await counts.flush()
    clock.advance(3600)
    counts.count("acme", "jd", "s", "a", "allow", 1.0)
    await counts.flush()
    hour = hour_of(NOW)
    assert await read(database, "decision") == {(hour, ""): (3, 0, 0, 0, 0), (hour + 1, ""): (1, 0, 0, 0, 0)}
    assert await read(database, "agent") == {
        (hour, "a"): (2, 0, 0, 0, 0), (hour, "b␀"): (1, 0, 0, 0, 0), (hour + 1, "a"): (1, 0, 0, 0, 0),
    }  # fmt: skip
    assert await read(database, "latency") == {
        (hour, "0.1"): (1, 0, 0, 0, 0), (hour, "0.25"): (1, 0, 0, 0, 0), (hour, "over"): (1, 0, 0, 0, 0),
        (hour, "0.5"): (0, 0, 1, 0, 0), (hour + 1, "1"): (1, 0, 0, 0, 0),
    }  # fmt: skip
    assert await read(database, "decision", "other") == {}


async def test_what_can_not_be_written_is_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = HourlyCounter(database, FixedClock(NOW))
    counts.count("acme", "jd", "s", "a", "allow", 1.0)

    @asynccontextmanager
    async def out() -> Any:
        counts.count("acme", "jd", "s", "a", "allow", 1.0)
        raise Unavailable("out")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(database, "write", out)
        with pytest.raises(Unavailable):
            await counts.flush()
    await counts.flush()
    assert list((await read(database, "agent")).values()) == [(2, 0, 0, 0, 0)]
    assert list((await read(database, "latency")).values()) == [(2, 0, 0, 0, 0)]


async def test_it_writes_by_itself_and_at_the_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter, "FLUSH_SECONDS", 0.005)
    counts = HourlyCounter(database, FixedClock(NOW))
    written = asyncio.Event()
    flush = counts.flush

    async def watched() -> None:
        await flush()
        written.set()

    monkeypatch.setattr(counts, "flush", watched)
    counts.start()
    counts.count("acme", "jd", "s", "a", "allow", 1.0)
    written.clear()
    await asyncio.wait_for(written.wait(), 5)
    assert list((await read(database, "decision")).values()) == [(1, 0, 0, 0, 0)]
    counts.count("acme", "jd", "s", "a", "allow", 1.0)
    await counts.close()
    assert list((await read(database, "decision")).values()) == [(2, 0, 0, 0, 0)]


async def test_memory_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter, "MAX_COUNTED", 3)
    counts = HourlyCounter(database, FixedClock(NOW))
    for number in range(10):
        counts.count("acme", "jd", "s", f"agent-{number}", "allow", BOUNDS_MS[number])
        counts.count("acme", "jd", "s", "agent-0", "allow", BOUNDS_MS[0])
    await counts.flush()
    assert len(await read(database, "agent")) == len(await read(database, "latency")) == 3
    assert (await read(database, "agent"))[hour_of(NOW), "agent-0"] == (11, 0, 0, 0, 0)
