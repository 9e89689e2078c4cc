from __future__ import annotations

from datetime import timedelta

import pytest

from service.clock import FixedClock
from service.record import retention
from service.record.database import Database
from service.record.replies import find_reply
from tests.record.factories import NOW, make_reply, store


async def test_only_what_is_older_than_its_days_is_forgotten(database: Database) -> None:
    await store(
        database,
        make_reply("old", created_at=NOW - timedelta(days=31)),
        make_reply("young", created_at=NOW - timedelta(days=29)),
    )
    assert await retention.forget_old_replies(database, FixedClock(NOW), 30) == 1
    assert await find_reply(database, "acme", "message", "old") is None
    assert await find_reply(database, "acme", "message", "young") is not None


async def test_more_than_a_batch_goes_too(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    await store(database, *[make_reply(f"m{n}", created_at=NOW - timedelta(days=40 + n)) for n in range(5)])
    assert await retention.forget_old_replies(database, FixedClock(NOW), 30) == 5
