"""Every change leaves its event in its own transaction, for those who listen; for nobody else is anything written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, event, func, select
from uuid_utils import uuid7

from service.clock import FixedClock
from service.errors import Conflict
from service.lexicon.changes import PolicyChange
from service.record import retention
from service.record.account import agent_account
from service.record.announce import announce_incidents
from service.record.database import Database
from service.record.deliveries import outbox_depth, purge_deliveries
from service.record.drafts import Author
from service.record.endpoints import Endpoint, add_endpoint, delete_endpoint
from service.record.event import EVENT_TYPES, new_event
from service.record.expiry import announce_ended
from service.record.outbox import listeners_of, put_events
from service.record.outbox_schema import outbox_events, webhook_deliveries
from service.record.policies import put_policy
from service.record.sanction import Sanction
from service.record.sanctions import lift_sanction, list_sanctions, start_sanctions
from tests.docs.pages import blocks
from tests.record.factories import NOW, make_incident
from tests.record.test_reviews import BOOKS, LATER, appeal, record, review, warned

ME = Author("admin", NOW, None)


def endpoint(events: str = "*", tenant: str = "acme", **changes: Any) -> Endpoint:
    fields: dict[str, Any] = {
        "id": str(uuid7()), "tenant_id": tenant, "kind": "standard", "envelope": "standard", "url_sealed": "x",
        "url_shown": "https://x", "events": events, "description": "", "secret_sealed": None, "created_at": NOW,
        "updated_at": NOW,
    }  # fmt: skip
    return Endpoint(**fields | changes)


def insult(**changes: Any) -> Any:
    finding = {
        "category": "abuse",
        "severity": "high",
        "term_id": "abuse/x",
        "clauses": ["pinduoduo 2.3"],
        "text": "笨",
    }
    fields = {
        "decision": "block",
        "severity": "high",
        "categories": ("abuse",),
        "findings": (finding, finding),
        "platform": "generic",
    }
    return make_incident(text="你真笨", **fields | {"platform": "generic"} | changes)


DOCUMENTED = {
    found["type"]: set(found["data"])
    for found in (json.loads(block.text) for block in blocks("docs/reference/webhooks.md") if block.language == "json")
}
"""Type -> fields of its data, where the page has an example."""


async def told(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    """(type, subject, data) of every delivery, in their order."""
    query = select(outbox_events.c.type, outbox_events.c.subject, outbox_events.c.body).join(
        webhook_deliveries, webhook_deliveries.c.event_id == outbox_events.c.id
    )
    async with database.read() as connection:
        rows = await connection.execute(query.order_by(webhook_deliveries.c.number))
        return [(row.type, row.subject, msgspec.json.decode(row.body)) for row in rows]


async def count(database: Database) -> tuple[int, int]:
    """Events, deliveries."""
    async with database.read() as connection:
        tables = (outbox_events, webhook_deliveries)
        found = [(await connection.execute(select(func.count()).select_from(each))).scalar_one() for each in tables]
    return found[0], found[1]


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


async def test_an_incident_is_told_without_its_words(database: Database) -> None:
    await add_endpoint(database, endpoint())
    incident = insult()
    await record(database, incident)
    ((kind, subject, data),) = await told(database)
    assert (kind, subject) == ("incident.created", "agents/shop-1/agent-1")
    assert data == {
        "incident_id": incident.id, "decision": "block", "severity": "high", "categories": ["abuse"], "state": "open",
        "platform": "generic", "channel": "chat", "shop_id": "shop-1", "agent_id": "agent-1", "message_id": None,
        "conversation_id": None, "term_ids": ["abuse/x"], "clauses": ["pinduoduo 2.3"],
        "sent_at": "2026-03-01T12:30:15.123456Z", "points": 1,
        "charges": [{"scheme": "ten_point", "side": "shop", "account": "agent", "points": 1}],
        "link": f"/v1/incidents/{incident.id}",
    }  # fmt: skip
    assert "笨" not in str(data)


async def test_what_follows_from_incidents_is_told_in_order(database: Database) -> None:
    await add_endpoint(database, endpoint())
    incidents = [warned(conversation_id=f"c{number}") for number in range(3)]
    await record(database, *incidents)
    for each in incidents:
        await review(database, each.id, "upheld")
    await appeal(database, incidents[2].id)
    await review(database, incidents[2].id, "overturned")
    own = [(kind, data) for kind, subject, data in await told(database) if subject == "agents/shop-1/agent-1"]
    assert [kind for kind, _ in own] == [
        *["incident.created"] * 3,
        *["incident.reviewed"] * 3,
        "sanction.started",
        "incident.appealed",
        "incident.reviewed",
        "sanction.ended",
    ]
    assert all(set(data) == DOCUMENTED[kind] for kind, data in own if kind in DOCUMENTED)
    assert set(DOCUMENTED) == {"incident.created", "incident.reviewed", "sanction.started"}
    assert set(own[9][1]) == DOCUMENTED["sanction.started"] | {"ended_by"}
    first, third = own[3][1], own[5][1]
    assert (first["verdict"], first["state"], first["state_before"], first["points"]) == ("upheld", "upheld", "open", 1)
    assert third["points"] == 3
    assert own[7][1]["state"] == "appealed"
    assert own[8][1]["points"] == -3
    assert own[9][1]["ended_by"] == "correction"
    assert own[9][1]["sanction_id"] == own[6][1]["sanction_id"]


async def test_a_change_that_is_taken_back_leaves_no_event(database: Database) -> None:
    await add_endpoint(database, endpoint())
    incident = insult()
    await record(database, incident)
    await review(database, incident.id, "upheld")
    before = await count(database)
    with pytest.raises(Conflict):
        await review(database, incident.id, "upheld")
    with suppress(RuntimeError):
        async with database.write() as connection:
            await put_policy(connection, "acme", "jd", PolicyChange(), ME, over=None)
            raise RuntimeError
    assert await count(database) == before


async def test_a_lift_and_a_policy_are_told(database: Database) -> None:
    await add_endpoint(database, endpoint())
    account = agent_account("acme", "shop-1", "agent-1")
    async with database.write() as connection:
        await BOOKS.adjust(connection, account, "ten_point", NOW, points=9, note="by hand", key_id="boss")
    sanctions, _ = await list_sanctions(database, "acme", now=LATER, limit=10)
    await lift_sanction(database, "acme", sanctions[0].id, LATER, key_id="boss", reason="not for others")
    await put_policy(database, "acme", "jd", PolicyChange(), ME, over=None)
    found = await told(database)
    assert [kind for kind, _, _ in found][-2:] == ["sanction.ended", "policy.changed"]
    assert {kind for kind, _, _ in found[:-2]} == {"sanction.started"}
    assert found[-2][2]["ended_by"] == "supervisor"
    assert "not for others" not in str(found)
    assert found[-1][2] == {"platform": "jd", "revision": 1, "key_id": "admin", "link": "/v1/policies/jd"}


async def test_without_a_listener_one_look_is_all(database: Database) -> None:
    await add_endpoint(database, endpoint(tenant="other"))
    await add_endpoint(database, endpoint(enabled=False))
    gone = endpoint()
    await add_endpoint(database, gone)
    await delete_endpoint(database, gone, NOW)
    incidents = [insult() for _ in range(100)]
    async with database.write() as connection:
        with statements() as seen:
            await announce_incidents(connection, incidents)
    assert len(seen) == 1
    assert await count(database) == (0, 0)


async def test_nothing_is_stored_that_nobody_asked_for(database: Database) -> None:
    await add_endpoint(database, endpoint("policy.changed sanction.started"))
    await add_endpoint(database, endpoint("policy.changed"))
    await record(database, insult())
    assert await count(database) == (0, 0)
    await put_policy(database, "acme", "jd", PolicyChange(), ME, over=None)
    assert await count(database) == (1, 2)
    assert await outbox_depth(database) == 2


async def test_the_largest_event_is_small(database: Database) -> None:
    await add_endpoint(database, endpoint())
    long = "\x01" * 128
    findings = tuple(
        {"category": "abuse", "severity": "high", "term_id": f"{number:03d}" + "t" * 125, "clauses": [f"{number} 2.2"]}
        for number in range(300)
    )
    await record(database, insult(shop_id=long, agent_id=long, message_id=long, findings=findings))
    async with database.read() as connection:
        (size,) = (await connection.execute(select(func.length(outbox_events.c.body)))).scalars()
    assert size < 20_000


def sanction(**changes: Any) -> Sanction:
    fields: dict[str, Any] = {
        "id": str(uuid7()), "tenant_id": "acme", "account_id": "a", "account_kind": "agent", "shop_id": "shop-1",
        "agent_id": "agent-1", "scheme": "ten_point", "side": "shop", "edition": "e", "consequence": "warning",
        "occasion": "line", "day": NOW.date(), "number": 1, "entry_id": str(uuid7()), "created_at": NOW, "starts_at": NOW,
        "ends_at": NOW + timedelta(days=3),
    }  # fmt: skip
    return Sanction(**fields | changes)


async def test_what_ends_by_itself_is_told_once(database: Database) -> None:
    rows = [
        sanction(),
        sanction(ends_at=NOW + timedelta(days=5)),
        sanction(ends_at=NOW - timedelta(days=1)),  # before anybody listened
        sanction(lifted_at=NOW, lift_reason="x"),
        sanction(ends_at=None),
        sanction(tenant_id="other"),
    ]
    async with database.write() as connection:
        await start_sanctions(connection, rows)
    assert await announce_ended(database, NOW + timedelta(days=4)) == 0
    await add_endpoint(database, endpoint())
    assert await announce_ended(database, NOW + timedelta(days=2)) == 0
    assert await announce_ended(database, NOW + timedelta(days=4)) == 1
    assert await announce_ended(database, NOW + timedelta(days=4)) == 0
    assert await announce_ended(database, NOW + timedelta(days=9)) == 1
    found = await told(database)
    assert [data["sanction_id"] for _, _, data in found] == [rows[0].id, rows[1].id]
    assert {(kind, data["ended_by"]) for kind, _, data in found} == {("sanction.ended", "time")}


async def test_old_deliveries_are_forgotten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    here, gone = endpoint(), endpoint("sanction.started")
    await add_endpoint(database, here)
    await add_endpoint(database, gone)

    async def put(state: str, days: int, kind: str = "policy.changed") -> None:
        at = NOW - timedelta(days=days)
        async with database.write() as connection:
            events = [new_event("acme", kind, "policies/jd", at, {"days": days, "state": state})]
            await put_events(connection, events, await listeners_of(connection, {"acme"}))
            last = select(func.max(webhook_deliveries.c.number)).scalar_subquery()
            changed = webhook_deliveries.update().where(webhook_deliveries.c.number == last)
            ended = at if state != "pending" else None
            await connection.execute(changed.values(state=state, finished_at=ended))

    for state, days in [("delivered", 31), ("delivered", 31), ("delivered", 29), ("dead", 31), ("dead", 91)]:
        await put(state, days)
    for days in (31, 91):
        await put("pending", days)
    await put("pending", 1, "sanction.started")
    await delete_endpoint(database, gone, NOW)
    await retention.forget_old_deliveries(database, FixedClock(NOW), 30)
    kept = [(data["state"], data["days"]) for _, _, data in await told(database)]
    assert kept == [("delivered", 29), ("dead", 31), ("pending", 31), ("pending", 1)]
    assert await purge_deliveries(database, NOW, NOW, 10) >= 1


def test_the_types_are_those_of_the_contract() -> None:
    contract = "incident.created incident.reviewed incident.appealed sanction.started sanction.ended lexicon.published"
    assert set(EVENT_TYPES) == {*contract.split(), "policy.changed", "endpoint.disabled"}
