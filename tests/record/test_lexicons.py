"""Lexicons, their drafts and versions, on both databases: nothing is lost, nothing is half done, nothing is another's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from service.errors import Conflict, Malformed, NotFound, Stale
from service.lexicon.changes import PolicyChange
from service.lexicon.overlay import Content, version_of
from service.lexicon.term import ExceptionPhrase, Term
from service.record.cases import add_case, delete_case, list_cases, new_case
from service.record.database import Database
from service.record.drafts import (
    Author,
    Item,
    ItemFilters,
    get_item,
    item_of,
    items_of,
    list_items,
    put_item,
    put_items,
    read_content,
    remove_item,
)
from service.record.lexicons import (
    Lexicon,
    change_lexicon,
    create_lexicon,
    delete_lexicon,
    get_lexicon,
    in_service,
    list_lexicons,
)
from service.record.news import last_number, news_since
from service.record.policies import get_policy, put_policy
from service.record.versions import list_publications, pack, publish, read_layers, read_published, roll_back, unpack
from service.record.workers import Serving, Worker, leave, list_workers, say_serving, show_up
from tests.record.factories import NOW
from tests.terms import term

ME = Author("key-1", NOW, "hurry")
SHIP = ExceptionPhrase(phrase="蓝鸽号游轮")


async def make(database: Database, name: str = "shop-words", tenant: str = "acme") -> Lexicon:
    return await create_lexicon(database, tenant, name, "", NOW)


async def put(database: Database, *bodies: Term | ExceptionPhrase, name: str = "shop-words") -> None:
    async with database.write() as connection:
        lexicon = await get_lexicon(connection, "acme", name, lock=True)
        await put_items(connection, lexicon, [item_of(body) for body in bodies], ME)


async def publish_draft(database: Database, name: str = "shop-words") -> str:
    lexicon = await get_lexicon(database, "acme", name)
    packed = pack(await read_content(database, lexicon.id))
    async with database.write() as connection:
        locked = await get_lexicon(connection, "acme", name, lock=True)
        made = await publish(connection, locked, packed, ME, "note", revision=lexicon.revision)
    return made.version


async def test_a_name_is_taken_once_and_free_after_deletion(database: Database) -> None:
    lexicon = await make(database)
    with pytest.raises(Conflict):
        await make(database)
    await make(database, tenant="other")
    await delete_lexicon(database, lexicon, NOW)
    with pytest.raises(NotFound):
        await get_lexicon(database, "acme", "shop-words")
    assert (await make(database)).id != lexicon.id


async def test_pages_of_lexicons(database: Database) -> None:
    for name in "cab":
        await make(database, name)
    first, cursor = await list_lexicons(database, "acme", limit=2)
    second, end = await list_lexicons(database, "acme", limit=2, cursor=cursor)
    assert [each.name for each in [*first, *second]] == ["a", "b", "c"]
    assert end is None


async def test_a_change_is_of_the_revision_it_names(database: Database) -> None:
    lexicon = await make(database)
    made = await put_item(database, lexicon, item_of(term("甲")), ME, over=None)
    with pytest.raises(Conflict):
        await put_item(database, lexicon, item_of(term("甲")), ME, over=None)
    changed = await put_item(database, lexicon, item_of(term("甲", severity="low")), ME, over=made.revision)
    with pytest.raises(Stale):
        await put_item(database, lexicon, item_of(term("甲", severity="medium")), ME, over=made.revision)
    with pytest.raises(Stale):
        await remove_item(database, lexicon, "term", "abuse/甲", ME, over=made.revision)
    assert await get_item(database, lexicon.id, "term", "abuse/甲") == changed
    assert await remove_item(database, lexicon, "term", "abuse/甲", ME, over=changed.revision) == changed
    with pytest.raises(NotFound):
        await remove_item(database, lexicon, "term", "abuse/甲", ME, over=changed.revision)
    assert (await get_lexicon(database, "acme", "shop-words")).revision == 3


async def test_fifty_editors_at_once_lose_nothing(database: Database) -> None:
    await make(database)

    async def edit(number: int) -> int:
        async with database.write() as connection:
            lexicon = await get_lexicon(connection, "acme", "shop-words", lock=True)
            return (await put_item(connection, lexicon, item_of(term(f"词{number}")), ME, over=None)).revision

    revisions = await asyncio.gather(*map(edit, range(50)))
    lexicon = await get_lexicon(database, "acme", "shop-words")
    assert sorted(revisions) == list(range(1, 51))
    assert lexicon.revision == 50
    assert len((await read_content(database, lexicon.id)).terms) == 50


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["abuse/甲", "abuse/乙", "contact/Abc", "counterfeit/x"]),
        ({"q": "ABC"}, ["contact/Abc"]),
        ({"q": "%"}, []),
        ({"category": "abuse"}, ["abuse/甲", "abuse/乙"]),
        ({"severity": "low"}, ["abuse/乙"]),
        ({"platform": "jd"}, ["abuse/甲", "abuse/乙"]),
        ({"platform": "taobao"}, ["abuse/甲", "abuse/乙", "contact/Abc"]),
        ({"state": "off"}, ["counterfeit/x"]),
        ({"kind": "exception"}, ["蓝鸽号游轮"]),
    ],
)
async def test_filters(database: Database, filters: dict[str, Any], expected: list[str]) -> None:
    lexicon = await make(database)
    contact = term("Abc", id="contact/Abc", category="contact", platforms=("taobao", "tmall"))
    items = [item_of(term("甲")), item_of(term("乙", severity="low")), item_of(contact), item_of(SHIP)]
    await put_items(database, lexicon, [*items, Item(kind="term", id="counterfeit/x", body=None)], ME)
    found, cursor = await list_items(database, lexicon.id, ItemFilters(**filters), limit=9)
    assert sorted(item.id for item in found) == sorted(expected)
    assert cursor is None


async def test_items_come_in_pages(database: Database) -> None:
    lexicon = await make(database)
    await put_items(database, lexicon, [item_of(term(f"词{number}")) for number in range(5)], ME)
    first, cursor = await list_items(database, lexicon.id, ItemFilters(), limit=3)
    second, end = await list_items(database, lexicon.id, ItemFilters(), limit=3, cursor=cursor)
    assert [item.id for item in [*first, *second]] == [f"abuse/词{number}" for number in range(5)]
    assert end is None
    with pytest.raises(Malformed):
        await list_items(database, lexicon.id, ItemFilters(), limit=3, cursor="?")


async def test_a_large_draft_is_read_whole(database: Database) -> None:
    lexicon = await make(database)
    content = Content(
        terms=tuple(term(f"词{number:04}") for number in range(2001)),
        exceptions=(SHIP,),
        terms_off=("contact/a", "contact/b"),
        exceptions_off=("甲板",),
    )
    await put_items(database, lexicon, items_of(content), ME)
    read = await read_content(database, lexicon.id)
    assert version_of(read.canonical()) == version_of(content.canonical())


async def test_versions_are_of_their_content_and_come_back(database: Database) -> None:
    await make(database)
    await put(database, term("甲"))
    first = await publish_draft(database)
    await put(database, term("乙"))
    second = await publish_draft(database)
    lexicon = await get_lexicon(database, "acme", "shop-words")
    assert (lexicon.published_version, lexicon.published_revision) == (second, 2)
    assert len((await read_published(database, lexicon)).terms) == 2

    await roll_back(database, lexicon, None, ME, "night")
    lexicon = await get_lexicon(database, "acme", "shop-words")
    assert lexicon.published_version == first
    assert [each.id for each in (await read_published(database, lexicon)).terms] == ["abuse/甲"]
    assert len((await read_content(database, lexicon.id)).terms) == 2
    for version in (first, None):
        # Whoever rolls back a second time does not bring back what was rolled back from.
        with pytest.raises(Conflict):
            await roll_back(database, lexicon, version, ME, None)
    with pytest.raises(NotFound):
        await roll_back(database, lexicon, "000000000000", ME, None)

    assert await publish_draft(database) == second
    found, _ = await list_publications(database, lexicon.id, limit=9)
    assert [(each.action, each.version) for each in found] == [
        ("publish", second), ("rollback", first), ("publish", second), ("publish", first),
    ]  # fmt: skip


async def test_what_was_not_read_is_not_published(database: Database) -> None:
    lexicon = await make(database)
    packed = pack(await read_content(database, lexicon.id))
    await put(database, term("甲"))
    now = await get_lexicon(database, "acme", "shop-words")
    with pytest.raises(Conflict, match="changed"):
        await publish(database, now, packed, ME, None, revision=lexicon.revision)
    assert (await get_lexicon(database, "acme", "shop-words")).published_version is None


async def test_a_publication_that_breaks_off_leaves_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(database)
    await put(database, term("甲"))
    first = await publish_draft(database)
    number = await last_number(database)
    await put(database, term("乙"))

    async def fail(*_: object) -> int:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("service.record.versions.tell", fail)
        with pytest.raises(RuntimeError):
            await publish_draft(database)
    lexicon = await get_lexicon(database, "acme", "shop-words")
    assert lexicon.published_version == first
    assert len((await list_publications(database, lexicon.id, limit=9))[0]) == 1
    assert await last_number(database) == number


async def test_what_is_in_service_and_the_news_of_it(database: Database) -> None:
    await make(database, "b")
    await make(database, "a")
    assert await news_since(database, 0) == {}
    await put(database, term("甲"), name="b")
    version = await publish_draft(database, "b")
    assert await news_since(database, 0) == {"acme": 1}
    ((name, stored, deflated),) = await read_layers(database, "acme")
    assert (name, stored) == ("b", version)
    assert [each.id for each in unpack(deflated).terms] == ["abuse/甲"]
    await publish_draft(database, "a")
    assert [each.name for each in await in_service(database, "acme")] == ["a", "b"]
    lexicon = await get_lexicon(database, "acme", "b")
    await change_lexicon(database, lexicon, description="x")
    assert await last_number(database) == 2
    await change_lexicon(database, lexicon, enabled=False)
    assert [each.name for each in await in_service(database, "acme")] == ["a"]
    await delete_lexicon(database, await get_lexicon(database, "acme", "a"), NOW)
    assert await read_layers(database, "acme") == []
    assert await news_since(database, 2) == {"acme": 4}
    assert await news_since(database, 4) == {}


async def test_cases(database: Database) -> None:
    lexicon = await make(database)
    cases = [new_case(text, "hit", "jd", "abuse/甲", "key-1", NOW) for text in "甲乙丙"]
    for case in cases:
        await add_case(database, lexicon.id, case)
    first, cursor = await list_cases(database, lexicon.id, limit=2)
    second, _ = await list_cases(database, lexicon.id, limit=2, cursor=cursor)
    assert [*first, *second] == cases
    assert await delete_case(database, lexicon.id, cases[0].id) == cases[0]
    with pytest.raises(NotFound):
        await delete_case(database, lexicon.id, cases[0].id)
    with pytest.raises(NotFound):
        await delete_case(database, "another", cases[1].id)


async def test_policies_keep_their_revisions(database: Database) -> None:
    softer = PolicyChange(actions={"ad_law": {"high": "warn"}})
    before, after = await put_policy(database, "acme", "jd", softer, ME, over=0)
    assert (before.revision, after.revision) == (0, 1)
    with pytest.raises(Stale):
        await put_policy(database, "acme", "jd", PolicyChange(), ME, over=0)
    assert await get_policy(database, "acme", "jd") == after
    assert (await get_policy(database, "other", "jd")).revision == 0
    assert (await get_policy(database, "acme", "taobao")).revision == 0
    assert await news_since(database, 0) == {"acme": 1}


async def test_two_who_change_a_policy_at_once(database: Database) -> None:
    async def change(_: int) -> int:
        return (await put_policy(database, "acme", "jd", PolicyChange(), ME, over=None))[1].revision

    assert sorted(await asyncio.gather(*map(change, range(10)))) == list(range(1, 11))


async def test_workers_come_and_go(database: Database) -> None:
    def worker(name: str, seconds: int) -> Worker:
        return Worker(id=name, host="h", pid=1, started_at=NOW, seen_at=NOW + timedelta(seconds=seconds))

    await show_up(database, worker("a", 0))
    await show_up(database, worker("b", 0))
    serving = Serving(worker_id="a", tenant_id="acme", lexicon_version="builtin@1", number=1, since=NOW)
    await say_serving(database, serving)
    assert await list_workers(database, "acme", NOW) == [(worker("a", 0), serving), (worker("b", 0), None)]
    await show_up(database, worker("b", 31))
    later = NOW + timedelta(seconds=31)
    assert [each.id for each, _ in await list_workers(database, "acme", later)] == ["b"]
    await leave(database, "b")
    assert [each.id for each, _ in await list_workers(database, "acme", NOW)] == ["a"]
    await show_up(database, worker("c", 601))
    assert [each.id for each, _ in await list_workers(database, "acme", NOW)] == ["c"]


async def test_nothing_of_another_tenant(database: Database) -> None:
    await make(database)
    await put(database, term("甲"))
    await publish_draft(database)
    with pytest.raises(NotFound):
        await get_lexicon(database, "other", "shop-words")
    assert await list_lexicons(database, "other", limit=9) == ([], None)
    assert await in_service(database, "other") == []
    assert await read_layers(database, "other") == []
