"""Whatever the database does meanwhile, what was acknowledged is in it once in the end, with its points."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from service.decide.phrase import NOTHING
from service.record.claims import claim_incident
from service.record.database import Database
from service.record.incident import Incident
from service.record.incidents import get_incident, list_incidents
from service.record.ledger import entries_of_incidents
from service.record.outcome import Outcome
from service.record.replies import find_reply
from service.record.reviews import lock_incident
from service.record.storing import WRITTEN, Entry, Written
from tests.record.factories import NOW, make_reply
from tests.record.faults import Faults, Kept, until
from tests.record.test_books import abuse, check_sums, put, scheme

JOURNALED = Written(where="journal", because="database not reachable")


@pytest.fixture
async def faults(database: Database) -> Faults:
    await put(database, "generic", "ten_point")
    return Faults(database)


@pytest.fixture
async def kept(database: Database, faults: Faults, tmp_path: Path) -> AsyncIterator[Kept]:
    async with Kept(database, tmp_path / "journal") as kept:
        yield kept
        faults.down = False
        faults.free.set()


def answered(incident: Incident, key: str, fingerprint: str = "f00d") -> Entry:
    """An incident with the answer that is kept for retries of message `key`."""
    outcome = Outcome(
        request_id="r", decision="block", findings=(), dismissed=(), masked_text="", agent_message=NOTHING, suggestion=NOTHING,
        lexicon_version="l", policy_version="p", degraded=(), incident_id=incident.id, recorded="database",
    )  # fmt: skip
    return Entry(incident, (make_reply(key, body=msgspec.json.encode(outcome), fingerprint=fingerprint),))


async def check_once(database: Database, incidents: Sequence[Incident]) -> None:
    """Each is there once, charged once, in the order of its happening; and nothing else is."""
    found, _ = await list_incidents(database, "acme", limit=10_000)
    assert sorted(each.id for each in found) == sorted(each.id for each in incidents)
    entries = await entries_of_incidents(database, "acme", [each.id for each in incidents])
    own = sorted((each.seq, each.incident_id) for each in entries if each.account_kind == "agent")
    by_time = sorted(incidents, key=lambda each: each.created_at)
    assert [incident_id for _, incident_id in own] == [each.id for each in by_time]
    assert (await scheme(database, "ten_point")).incidents == len(incidents)
    await check_sums(database)


async def test_an_outage_under_load_loses_and_doubles_nothing(database: Database, faults: Faults, kept: Kept) -> None:
    incidents: list[Incident] = []
    results: list[Written] = []

    async def send(turns: int) -> None:
        for _ in range(turns):
            incident = abuse(created_at=NOW + timedelta(seconds=len(incidents)))
            incidents.append(incident)
            results.append(await kept.writer.write(answered(incident, incident.id)))

    await send(3)
    faults.down = True
    await asyncio.gather(*(send(20) for _ in range(8)))
    assert results == [WRITTEN] * 3 + [JOURNALED] * 160
    faults.down = False
    stop = asyncio.Event()

    async def send_on() -> None:
        while not stop.is_set():
            await send(1)

    load = asyncio.gather(*(send_on() for _ in range(8)))
    # Although more comes in all the time.
    await until(lambda: kept.writer.breaker.is_closed, 60)
    stop.set()
    await load
    assert not kept.journal.waiting
    await check_once(database, incidents)
    assert await kept.writer.write(Entry(None, (make_reply("last"),))) == WRITTEN


async def test_commits_that_nobody_heard_of_are_not_repeated(database: Database, faults: Faults, kept: Kept) -> None:
    faults.lost_answers = 3
    incidents = [abuse(number) for number in range(4)]
    for number, incident in enumerate(incidents):
        await kept.writer.write(answered(incident, f"m{number}"))
    await kept.caught_up()
    await check_once(database, incidents)


async def test_a_write_that_is_late_and_comes_all_the_same(database: Database, faults: Faults, tmp_path: Path) -> None:
    incidents = [abuse(number) for number in range(6)]
    async with Kept(database, tmp_path / "late", patience=0.05) as kept:
        faults.free.clear()
        first = await kept.writer.write(answered(incidents[0], "m0"))
        assert (first.where, first.because) == ("journal", "database too slow")
        more = await asyncio.gather(*(kept.writer.write(Entry(each)) for each in incidents[1:]))
        assert {each.where for each in more} == {"journal"}
        kept.writer.patience = 5.0
        faults.free.set()
        await kept.caught_up()
        assert (await kept.writer.write(answered(incidents[0], "m0"))).existing is not None
    await check_once(database, incidents)


async def test_a_process_that_ends_between_the_commit_and_the_removal(
    database: Database, faults: Faults, kept: Kept, tmp_path: Path
) -> None:
    faults.down = True
    same = [abuse(repeat_key="k", created_at=NOW + timedelta(seconds=number)) for number in range(3)]
    entries = [*(answered(each, f"m{n}") for n, each in enumerate(same)), Entry(abuse(1)), Entry(None, (make_reply(),))]
    for entry in entries:
        await kept.writer.write(entry)
    faults.down = False
    for _ in range(2):
        await kept.writer.storing.replay(entries)
    await kept.caught_up()
    found, _ = await list_incidents(database, "acme", limit=9)
    assert sorted((each.attempts, each.repeat_key) for each in found) == [(1, None), (3, "k")]
    assert (await scheme(database, "ten_point")).incidents == 2
    # Each id that was given out is good for reading and for deciding.
    for each in same:
        assert (await get_incident(database, "acme", each.id)).id == same[0].id
    async with database.write() as connection:
        assert (await lock_incident(connection, "acme", same[2].id)).id == same[0].id
    claimed = await claim_incident(database, "acme", same[2].id, "key", NOW, NOW + timedelta(hours=1))
    assert (claimed.id, claimed.claimed_by) == (same[0].id, "key")


async def test_a_retry_while_the_database_is_out_finds_the_first(faults: Faults, kept: Kept) -> None:
    before = answered(abuse(), "before")
    await kept.writer.write(before)
    faults.down = True
    during = answered(abuse(1), "during")
    assert await kept.writer.write(during) == JOURNALED
    retries = [answered(abuse(2), "before"), answered(abuse(3), "during"), answered(abuse(4), "during", "other")]
    first, second, third = [await kept.writer.write(each) for each in retries]
    assert first == Written(before.replies[0])  # of this the database is known to have it
    assert second == third == msgspec.structs.replace(JOURNALED, existing=during.replies[0])
    assert kept.journal.waiting == 1


async def test_a_retry_that_could_not_know_of_the_first(
    database: Database, faults: Faults, kept: Kept, tmp_path: Path
) -> None:
    first, other = answered(abuse(), "m1"), answered(abuse(1), "m2", "one")
    async with Kept(database, tmp_path / "elsewhere") as elsewhere:
        await elsewhere.writer.write(first)
        await elsewhere.writer.write(other)
    faults.down = True
    again, reused = answered(abuse(2), "m1"), answered(abuse(3), "m2", "two")
    assert [await kept.writer.write(each) for each in (again, reused)] == [JOURNALED] * 2
    faults.down = False
    await kept.caught_up()
    assert first.incident
    assert other.incident
    assert again.incident
    assert reused.incident
    # The same message is one incident under two names; other content under the same key is another incident.
    assert (await get_incident(database, "acme", again.incident.id)).id == first.incident.id
    await check_once(database, [first.incident, other.incident, reused.incident])
    assert await find_reply(database, "acme", "message", "m2") == other.replies[0]


async def test_what_the_next_process_finds_is_written_before_anything_new(
    database: Database, faults: Faults, tmp_path: Path
) -> None:
    incidents = [abuse(number) for number in range(5)]
    faults.down = True
    async with Kept(database, tmp_path / "journal") as first:
        for incident in incidents[:4]:
            await first.writer.write(Entry(incident))
    faults.down = False
    async with Kept(database, tmp_path / "journal") as second:
        written = await second.writer.write(Entry(incidents[4]))
        assert written.because == "database catching up"
        await second.caught_up()
    await check_once(database, incidents)
    assert list((tmp_path / "journal").iterdir()) == []


async def test_what_the_database_refuses_is_set_aside_and_the_rest_is_written(
    database: Database, faults: Faults, kept: Kept, tmp_path: Path
) -> None:
    faults.down = True
    good = [abuse(number) for number in range(3)]
    bad = abuse(1, attempts=2**63)
    for incident in (good[0], bad, good[1], good[2]):
        await kept.writer.write(Entry(incident))
    faults.down = False
    await kept.caught_up()
    await check_once(database, good)
    assert kept.journal.aside.counts == {"refused": 1}
    (file,) = (tmp_path / "journal" / "damaged").iterdir()
    assert bad.id.encode() in file.read_bytes()


async def test_a_clock_that_is_set_back(database: Database, faults: Faults, kept: Kept) -> None:
    faults.down = True
    incidents = [abuse(created_at=NOW + timedelta(minutes=minutes)) for minutes in (0, 120, -90, 30, -90)]
    for incident in incidents:
        assert await kept.writer.write(answered(incident, incident.id)) == JOURNALED
    faults.down = False
    await kept.caught_up()
    found, _ = await list_incidents(database, "acme", limit=9)
    assert {each.id for each in found} == {each.id for each in incidents}
    assert (await scheme(database, "ten_point")).incidents == 5
    await check_sums(database)
