"""Many at once, from several processes' worth of writers: every line is crossed once, every incident charged once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Unavailable
from service.record.database import Database
from service.record.incident import Incident
from service.record.incidents import get_incident, list_incidents
from service.record.ledger import entries_of_incidents
from service.record.repeats import repeat_key
from service.record.sanctions import list_sanctions
from service.record.storing import Entry
from service.record.writer import GroupWriter
from tests.record.factories import NOW, make_reply
from tests.record.test_books import BOOKS, SHOP, abuse, check_sums, put, record, scheme, settle


@asynccontextmanager
async def writers(url: str, count: int) -> AsyncIterator[list[GroupWriter]]:
    """Writers that know nothing of each other, each with a database connection of its own."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(count):
            database = await Database.open(url)
            stack.push_async_callback(database.close)
            writer = GroupWriter(database, max_group=3, charging=BOOKS)
            writer.start()
            stack.push_async_callback(writer.close)
            made.append(writer)
        yield made


async def started(database: Database) -> Counter[str]:
    found, _ = await list_sanctions(database, "acme", now=NOW, limit=500)
    return Counter(each.consequence for each in found)


async def test_fifty_at_an_edge_cross_each_line_once(database: Database, database_url: str) -> None:
    await put(database, "generic", "ten_point")
    await record(database, abuse(), abuse())
    async with writers(database_url, 5) as many:
        await asyncio.gather(*(many[number % 5].write(Entry(abuse())) for number in range(50)))
    assert await started(database) == {"spoken_warning": 1, "penalty": 1}
    found = await scheme(database, "ten_point")
    assert (found.score, found.incidents) == (0, 52)
    await check_sums(database)


async def test_fifty_agents_freeze_one_shop_once(database: Database, database_url: str) -> None:
    await put(database, "taobao")
    await record(database, *(abuse(platform="taobao") for _ in range(3)))
    incidents = [abuse(platform="taobao", agent_id=f"agent-{number}") for number in range(50)]
    async with writers(database_url, 5) as many:
        await asyncio.gather(*(many[number % 5].write(Entry(each)) for number, each in enumerate(incidents)))
    assert (await started(database))["frozen"] == 1
    assert (await scheme(database, "taobao", SHOP)).points == 53 * 12
    await check_sums(database)


async def test_verdicts_and_incidents_at_once(database: Database, database_url: str) -> None:
    await put(database, "taobao", "ten_point")
    known = await record(database, *(abuse(platform="taobao") for _ in range(10)))
    other = await Database.open(database_url)
    async with writers(database_url, 2) as many:
        await asyncio.gather(
            *(settle(database if number % 2 else other, each, "overturned") for number, each in enumerate(known)),
            *(settle(other if number % 2 else database, each, "overturned") for number, each in enumerate(known)),
            *(many[number % 2].write(Entry(abuse(platform="taobao"))) for number in range(4)),
        )
    await other.close()
    for incident in known:
        kinds = Counter(entry.kind for entry in await entries_of_incidents(database, "acme", [incident.id]))
        assert (kinds["charge"], kinds["reversal"]) == (3, 3)  # one by the shop's scheme, two by the marketplace's
    assert (await scheme(database, "ten_point")).score == 4
    assert (await scheme(database, "taobao", SHOP)).points == 48
    await check_sums(database)


def tried(incident: Incident, text: str = "滚") -> Incident:
    """An incident of a known customer, which can be tried again."""
    known = msgspec.structs.replace(incident, customer_id="c1")
    return msgspec.structs.replace(known, repeat_key=repeat_key(known, text, ()))


async def test_a_storm_of_the_same_message_is_one_incident(database: Database, database_url: str) -> None:
    await put(database, "generic", "ten_point")
    attempts = [tried(abuse()) for _ in range(50)]
    async with writers(database_url, 5) as many:
        written = await asyncio.gather(*(many[n % 5].write(Entry(each)) for n, each in enumerate(attempts)))
    (incident,), _ = await list_incidents(database, "acme", limit=5)
    assert incident.attempts == 50
    assert Counter(each.repeats for each in written) == {incident.id: 49, None: 1}
    assert (await scheme(database, "ten_point")).score == 9


async def test_the_window_of_repetition_slides_and_ends(database: Database) -> None:
    await put(database, "generic", "ten_point")
    for second in (0, 50, 100, 161):
        at = NOW.replace(minute=0, second=0) + second * (NOW.resolution * 1_000_000)
        await record(database, tried(abuse(created_at=at, sent_at=at)))
    found, _ = await list_incidents(database, "acme", limit=5)
    assert [each.attempts for each in found] == [1, 3]


async def test_another_text_or_customer_is_another_incident(database: Database) -> None:
    first = tried(abuse())
    other = msgspec.structs.replace(first, id="other", customer_id="c2", repeat_key=None)
    other = msgspec.structs.replace(other, repeat_key=repeat_key(other, "滚", ()))
    await record(database, first, tried(abuse(), "快滚"), other, abuse(), abuse())
    assert len((await list_incidents(database, "acme", limit=9))[0]) == 5


async def test_a_reviewed_incident_takes_no_more_attempts(database: Database) -> None:
    (incident,) = await record(database, tried(abuse()))
    async with database.write() as connection:
        await connection.exec_driver_sql("UPDATE incidents SET state = 'overturned'")
    await record(database, tried(abuse()))
    assert (await get_incident(database, "acme", incident.id)).attempts == 1
    assert len((await list_incidents(database, "acme", limit=9))[0]) == 2


async def test_a_kept_reply_speaks_of_the_incident_that_counts(database: Database) -> None:
    first, second = tried(abuse()), tried(abuse())
    writer = GroupWriter(database, charging=BOOKS)
    writer.start()
    await writer.write(Entry(first))
    reply = make_reply("m2", body=f'{{"incident_id":"{second.id}"}}'.encode())
    assert (await writer.write(Entry(second, (reply,)))).repeats == first.id
    again = await writer.write(Entry(tried(abuse()), (reply,)))
    await writer.close()
    assert again.existing is not None
    assert again.existing.body == f'{{"incident_id":"{first.id}"}}'.encode()


async def test_a_commit_whose_answer_was_lost_charges_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await put(database, "generic", "ten_point")
    failures = [Unavailable("the connection broke after the commit")]
    whole = database.write

    @asynccontextmanager
    async def write() -> AsyncIterator[AsyncConnection]:
        async with whole() as connection:
            yield connection
        if failures:
            raise failures.pop()

    monkeypatch.setattr(database, "write", write)
    await record(database, tried(abuse()))
    assert failures == []
    (incident,), _ = await list_incidents(database, "acme", limit=5)
    assert (incident.attempts, (await scheme(database, "ten_point")).score) == (1, 9)
    await check_sums(database)


async def test_an_incident_and_its_charge_stand_or_fall_together(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(database, "generic", "ten_point")

    def fail(_: object) -> None:
        raise RuntimeError("the power went out before the commit")

    event.listen(database.engine.sync_engine, "commit", fail)
    writer = GroupWriter(database, charging=BOOKS)
    writer.start()
    with pytest.raises(Unavailable):
        await writer.write(Entry(abuse()))
    await writer.close()
    event.remove(database.engine.sync_engine, "commit", fail)
    assert (await list_incidents(database, "acme", limit=5))[0] == []
    assert (await scheme(database, "ten_point")).score == 10
