from datetime import timedelta

from service.record.database import Database
from service.record.replies import find_reply, purge_replies
from tests.record.factories import NOW, make_reply, store


async def test_nothing_is_found_under_another_key(database: Database) -> None:
    reply = make_reply("m1")
    await store(database, reply)
    assert await find_reply(database, "acme", "message", "m1") == reply
    assert await find_reply(database, "acme", "message", "m2") is None
    assert await find_reply(database, "acme", "key", "m1") is None
    assert await find_reply(database, "other", "message", "m1") is None


async def test_the_oldest_replies_go_in_batches(database: Database) -> None:
    old = [make_reply(f"m{number}", created_at=NOW - timedelta(hours=number + 1)) for number in range(5)]
    await store(database, make_reply("fresh"), *old)
    assert await purge_replies(database, "message", NOW, limit=3) == 3
    assert await find_reply(database, "acme", "message", "m4") is None
    assert await find_reply(database, "acme", "message", "m1") is not None
    assert await purge_replies(database, "message", NOW, limit=3) == 2
    assert await purge_replies(database, "message", NOW, limit=3) == 0
    assert await find_reply(database, "acme", "message", "fresh") is not None
