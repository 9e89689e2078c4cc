import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Unavailable
from service.record import schema
from service.record.database import Database
from service.record.incidents import get_incident
from service.record.replies import find_reply
from service.record.storing import WRITTEN, Entry, Written
from service.record.writer import GroupWriter
from tests.record.factories import make_incident, make_reply

LONE_SURROGATE = "\ud800"
"""No database can store it, so a row that holds one is refused."""


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[GroupWriter]:
    writer = GroupWriter(database)
    writer.start()
    yield writer
    await writer.close()


async def _count(database: Database) -> tuple[int, int, int]:
    """Incidents, their categories, replies."""
    async with database.read() as connection:
        tables = (schema.incidents, schema.incident_categories, schema.replies)
        first, second, third = [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one() for table in tables
        ]
    return first, second, third


async def test_an_entry_is_stored_whole(database: Database, writer: GroupWriter) -> None:
    incident = make_incident(categories=("contact", "abuse"), message_id="m1", customer_id="客户")
    replies = (make_reply("m1"), make_reply("k1", scope="key", body=b"\x00\xff"))
    assert await writer.write(Entry(incident, replies)) == WRITTEN
    assert await get_incident(database, "acme", incident.id) == incident
    assert await find_reply(database, "acme", "message", "m1") == replies[0]
    assert await find_reply(database, "acme", "key", "k1") == replies[1]


async def test_fifty_writers_share_commits(database: Database, writer: GroupWriter) -> None:
    commits: list[object] = []
    event.listen(database.engine.sync_engine, "commit", commits.append)
    entries = [Entry(make_incident(), (make_reply(f"m{number}"),)) for number in range(50)]
    assert await asyncio.gather(*map(writer.write, entries)) == [WRITTEN] * 50
    assert len(commits) < 5
    assert await _count(database) == (50, 50, 50)


async def test_what_nobody_waits_for_is_known_at_once_and_stored_a_moment_later(database: Database) -> None:
    groups: asyncio.Queue[int] = asyncio.Queue()
    writer = GroupWriter(database)
    store = writer.storing.store

    async def noted(entries: Sequence[Entry], *, again: bool = False) -> list[Written]:
        written = await store(entries, again=again)
        groups.put_nowait(len(entries))
        return written

    writer.storing.store = noted  # type: ignore[method-assign]
    writer.start()
    replies = [make_reply(f"m{number}", scope="hook") for number in range(20)]
    for reply in replies:
        writer.write_later(Entry(None, (reply,)))
    assert writer.recall(("acme", "hook", "m7")) == replies[7]
    assert writer.recall(("other", "hook", "m7")) is None
    assert await asyncio.wait_for(groups.get(), 5) == 20
    assert await _count(database) == (0, 0, 20)
    writer.write_later(Entry(None, (make_reply("last", scope="hook"),)))
    await writer.close()
    assert await find_reply(database, "acme", "hook", "last") is not None


async def test_groups_are_bounded(database: Database) -> None:
    commits: list[object] = []
    event.listen(database.engine.sync_engine, "commit", commits.append)
    writer = GroupWriter(database, max_group=10)
    writer.start()
    await asyncio.gather(*(writer.write(Entry(make_incident())) for _ in range(50)))
    await writer.close()
    assert len(commits) == 5


async def test_a_group_of_the_largest_size(database: Database, writer: GroupWriter) -> None:
    entries = [Entry(make_incident(), (make_reply(f"m{n}"), make_reply(f"k{n}", scope="key"))) for n in range(500)]
    await asyncio.gather(*map(writer.write, entries))
    assert await _count(database) == (500, 500, 1000)


async def test_the_first_reply_wins_across_groups(database: Database, writer: GroupWriter) -> None:
    first = make_reply("m1", fingerprint="one")
    await writer.write(Entry(make_incident(), (first,)))
    second = Entry(make_incident(), (make_reply("k2", scope="key"), make_reply("m1", fingerprint="two")))
    other = Entry(make_incident(), (make_reply("m2"),))
    written, unharmed = await asyncio.gather(writer.write(second), writer.write(other))
    assert written.existing == first
    assert unharmed == WRITTEN
    assert await find_reply(database, "acme", "key", "k2") is None
    assert await _count(database) == (2, 2, 2)


async def test_the_first_reply_wins_inside_a_group(database: Database, writer: GroupWriter) -> None:
    replies = [make_reply("m1", fingerprint=f"f{number}") for number in range(5)]
    results = await asyncio.gather(*(writer.write(Entry(make_incident(), (reply,))) for reply in replies))
    assert [written.existing for written in results] == [None, *[replies[0]] * 4]
    assert await _count(database) == (1, 1, 1)


async def test_a_loser_holds_nothing_back_from_later_entries(database: Database, writer: GroupWriter) -> None:
    stored = make_reply("m1")
    await writer.write(Entry(None, (stored,)))
    loser = Entry(make_incident(), (make_reply("m1"), make_reply("k1", scope="key")))
    later = Entry(make_incident(), (make_reply("k1", scope="key"),))
    results = await asyncio.gather(writer.write(loser), writer.write(later))
    assert [written.existing for written in results] == [stored, None]
    assert await find_reply(database, "acme", "key", "k1") == later.replies[0]


async def test_tenants_and_scopes_do_not_share_keys(database: Database, writer: GroupWriter) -> None:
    same_key = [make_reply("1"), make_reply("1", scope="key"), make_reply("1", tenant_id="other")]
    results = await asyncio.gather(*(writer.write(Entry(None, (reply,))) for reply in same_key))
    assert results == [WRITTEN] * 3


async def test_two_processes_agree_who_was_first(database: Database, database_url: str, writer: GroupWriter) -> None:
    neighbour = await Database.open(database_url)
    second = GroupWriter(neighbour)
    second.start()
    pairs = [(make_reply(f"m{number}"), make_reply(f"m{number}")) for number in range(60)]
    tasks = [
        asyncio.gather(writer.write(Entry(make_incident(), (one,))), second.write(Entry(make_incident(), (two,))))
        for one, two in pairs
    ]
    results = await asyncio.gather(*tasks)
    await second.close()
    await neighbour.close()
    for (one, two), (of_one, of_two) in zip(pairs, results, strict=True):
        assert (of_one.existing, of_two.existing) in ((None, one), (two, None))
    assert await _count(database) == (60, 60, 60)


async def test_one_bad_row_does_not_sink_the_others(database: Database, writer: GroupWriter) -> None:
    poison = Entry(make_incident(text=LONE_SURROGATE), (make_reply("bad"),))
    good = [Entry(make_incident(), (make_reply(f"m{number}"),)) for number in range(10)]
    entries = [*good[:5], poison, *good[5:]]
    results = await asyncio.gather(*map(writer.write, entries), return_exceptions=True)
    assert isinstance(results.pop(5), Unavailable)
    assert results == [WRITTEN] * 10
    assert await _count(database) == (10, 10, 10)
    assert await find_reply(database, "acme", "message", "bad") is None


async def test_conflicts_hold_when_a_group_is_taken_apart(writer: GroupWriter) -> None:
    poison = Entry(make_incident(text=LONE_SURROGATE))
    first, second = make_reply("m1"), make_reply("m1")
    results = await asyncio.gather(
        writer.write(poison),
        writer.write(Entry(None, (first,))),
        writer.write(Entry(None, (second,))),
        return_exceptions=True,
    )
    assert isinstance(results[0], Unavailable)
    assert [getattr(written, "existing", "?") for written in results[1:]] == [None, first]


async def test_a_commit_whose_answer_was_lost_is_not_repeated(
    database: Database, writer: GroupWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [Unavailable("the connection broke after the commit")]
    whole = database.write

    @asynccontextmanager
    async def write() -> AsyncIterator[AsyncConnection]:
        async with whole() as connection:
            yield connection
        if failures:
            raise failures.pop()

    monkeypatch.setattr(database, "write", write)
    entries = [Entry(make_incident(), (make_reply("m1"),)), Entry(make_incident())]
    assert await asyncio.gather(*map(writer.write, entries)) == [WRITTEN, WRITTEN]
    assert await _count(database) == (2, 2, 1)


async def test_an_outage_fails_everybody_once_and_passes(
    database: Database, writer: GroupWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def write() -> None:
        tries.append(1)
        raise Unavailable("the database cannot be used now", retry_after=1)

    with monkeypatch.context() as patched:
        patched.setattr(database, "write", write)
        results = await asyncio.gather(
            *(writer.write(Entry(make_incident())) for _ in range(20)), return_exceptions=True
        )
    assert all(isinstance(error, Unavailable) and error.retry_after == 1 for error in results)
    assert len({id(error) for error in results}) == 20
    assert len(tries) == 2  # the group, then its first entry; the others need not wait for the same answer
    assert await writer.write(Entry(make_incident())) == WRITTEN


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_a_dropped_connection_is_survived(database: Database, database_url: str, writer: GroupWriter) -> None:
    await writer.write(Entry(make_incident()))
    operator = await Database.open(database_url)
    for _ in range(5):
        async with operator.write() as connection:
            await connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()")
            )
        assert await writer.write(Entry(make_incident())) == WRITTEN
    await operator.close()
    assert (await _count(database))[0] == 6


async def test_a_full_queue_refuses_at_once(database: Database) -> None:
    writer = GroupWriter(database, max_waiting=3)
    writer.start()
    results = await asyncio.gather(*(writer.write(Entry(make_incident())) for _ in range(5)), return_exceptions=True)
    await writer.close()
    assert results[:3] == [WRITTEN] * 3
    assert [getattr(error, "retry_after", None) for error in results[3:]] == [1, 1]
    assert await _count(database) == (3, 3, 0)


async def test_close_writes_what_waits(database: Database) -> None:
    writer = GroupWriter(database, max_group=4)
    writer.start()
    tasks = [asyncio.ensure_future(writer.write(Entry(make_incident()))) for _ in range(25)]
    await asyncio.sleep(0)
    await asyncio.gather(writer.close(), writer.close())
    assert [task.result() for task in tasks] == [WRITTEN] * 25
    assert await _count(database) == (25, 25, 0)
    with pytest.raises(Unavailable):
        await writer.write(Entry(make_incident()))


async def test_a_writer_that_was_never_started(database: Database) -> None:
    writer = GroupWriter(database)
    with pytest.raises(Unavailable):
        await writer.write(Entry(make_incident()))
    await writer.close()


async def test_a_caller_that_goes_away_harms_nobody(database: Database, writer: GroupWriter) -> None:
    tasks = [asyncio.ensure_future(writer.write(Entry(make_incident()))) for _ in range(10)]
    await asyncio.sleep(0)
    tasks[4].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results.pop(4), asyncio.CancelledError)
    assert results == [WRITTEN] * 9
    assert (await _count(database))[0] in (9, 10)


async def test_the_loop_stays_free(database: Database, writer: GroupWriter) -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(turn())
    await asyncio.gather(*(writer.write(Entry(make_incident())) for _ in range(200)))
    task.cancel()
    assert turns > 5
