from __future__ import annotations

from datetime import timedelta

import pytest

from service.clock import FixedClock
from service.record import retention
from service.record.aliases import add_aliases, find_alias
from service.record.database import Database
from service.record.drafts import Author
from service.record.incidents import list_incidents
from service.record.keys import create_key
from service.record.ledger import entries_of_incidents
from service.record.replies import find_reply
from service.record.review import Appeal
from service.record.reviews import file_appeal, lock_incident
from service.record.samples import TrafficSample, add_samples, newest_samples
from service.record.tenants import Sampling, TenantSettings, put_settings
from tests.record.factories import NOW, make_reply, store
from tests.record.test_books import abuse, check_sums, put, record, scheme, settle


async def test_only_what_is_older_than_its_days_is_forgotten(database: Database) -> None:
    await store(
        database,
        make_reply("old", created_at=NOW - timedelta(days=31)),
        make_reply("young", created_at=NOW - timedelta(days=29)),
    )
    assert await retention.forget_old_replies(database, FixedClock(NOW), 30) == 1
    assert await find_reply(database, "acme", "message", "old") is None
    assert await find_reply(database, "acme", "message", "young") is not None


@pytest.mark.parametrize("days", [1, 30])
async def test_a_tools_call_is_known_for_48_hours_whatever_is_set_for_clients(database: Database, days: int) -> None:
    clock = FixedClock(NOW)
    for hours in (47, 49):
        await store(database, make_reply(f"{hours}", scope="hook", created_at=NOW - timedelta(hours=hours)))
        await store(database, make_reply(f"{hours}", scope="key", created_at=NOW - timedelta(hours=hours)))
    await retention.forget_old_replies(database, clock, days)
    left = [hours for hours in ("47", "49") if await find_reply(database, "acme", "hook", hours)]
    assert left == ["47"]
    assert (await find_reply(database, "acme", "key", "47") is None) == (days == 1)


async def test_more_than_a_batch_goes_too(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    await store(database, *[make_reply(f"m{n}", created_at=NOW - timedelta(days=40 + n)) for n in range(5)])
    assert await retention.forget_old_replies(database, FixedClock(NOW), 30) == 5


async def test_old_incidents_go_with_all_that_was_said_and_what_they_cost_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "INCIDENT_BATCH", 2)
    monkeypatch.setattr(retention, "BREATH_SECONDS", 0)
    await put(database, "generic", "ten_point")
    await create_key(database, "acme", "desk", "admin", None, NOW)
    old = await record(database, *[abuse(number) for number in range(5)])
    disputed, young = await record(database, abuse(6), abuse(24 * 9))
    await settle(database, old[0], "upheld")
    async with database.write() as connection:
        await add_aliases(connection, {old[1].id: old[0].id}, [old[1]])
        appeal = Appeal(tenant_id="acme", incident_id=disputed.id, key_id="k", filed_at=NOW, due_at=NOW, reason="no")
        await file_appeal(connection, await lock_incident(connection, "acme", disputed.id), appeal)
    cost = await scheme(database, "ten_point")
    clock = FixedClock(NOW + timedelta(days=738))
    assert await retention.forget_old_incidents(database, clock, 730) == 5
    found, _ = await list_incidents(database, "acme", limit=9)
    assert {each.id for each in found} == {disputed.id, young.id}
    assert await find_alias(database, "acme", old[1].id) is None
    assert await scheme(database, "ten_point") == cost
    await check_sums(database)
    assert len(await entries_of_incidents(database, "acme", [each.id for each in old])) >= 5


async def test_samples_go_when_their_tenant_wants_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    await put_settings(database, "brief", TenantSettings(Sampling(0.5, 3)), Author("k", NOW), over=None)
    ages = {"brief": (1, 2, 4, 5, 6), "acme": (4, 13, 15)}
    rows = [
        TrafficSample(
            id=f"{tenant}{age}", tenant_id=tenant, at=NOW - timedelta(days=age), platform="jd", channel="chat", text="x"
        )
        for tenant, days in ages.items()
        for age in days
    ]  # fmt: skip
    await add_samples(database, rows)
    assert await retention.forget_old_traffic(database, FixedClock(NOW)) == 4
    left = [each.id for tenant in ages for each in await newest_samples(database, tenant, None, 9)]
    assert left == ["brief1", "brief2", "acme4", "acme13"]
