"""A large import on both databases: nobody waits for it, nobody sees half of it, and nothing of a killed one stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Conflict
from service.lexicon.overlay import Content
from service.lexicon.term import Term
from service.record import large_imports
from service.record.database import Database
from service.record.drafts import Author, get_item, item_of, put_items, read_content, remove_item
from service.record.imports import import_content, prepare_content
from service.record.large_imports import import_large, sweep_leftovers
from service.record.lexicon_schema import lexicon_items
from service.record.lexicons import Lexicon, create_lexicon, get_lexicon
from tests.record.factories import NOW
from tests.terms import term

ME = Author("key-1", NOW, "hurry")
Between = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_imports, "BATCH", 7)
    monkeypatch.setattr(large_imports, "BREATH_SECONDS", 0)


@pytest.fixture
async def lexicon(database: Database) -> Lexicon:
    made = await create_lexicon(database, "acme", "shop-words", "", NOW)
    await put_items(database, made, [item_of(word(number)) for number in range(20)], ME)
    return made


def word(number: int, severity: str = "high") -> Term:
    return term(f"词{number:03}", severity=severity)


async def find(database: Database) -> Lexicon:
    return await get_lexicon(database, "acme", "shop-words")


async def draft(database: Database) -> dict[str, str]:
    content = await read_content(database, (await find(database)).items_id)
    return {each.pattern: each.severity for each in content.terms}


async def take(database: Database, *terms: Term, replace: bool = False, last: Between | None = None) -> int:
    async def note(_: AsyncConnection, __: Lexicon, ___: int) -> None:
        if last is not None:
            await last()

    made = prepare_content(Content(terms=terms))
    return await import_large(database, "acme", "shop-words", made, ME, replace=replace, note=note)


async def rows(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(lexicon_items))).scalar_one())


def once(monkeypatch: pytest.MonkeyPatch, between: Between) -> None:
    """`between` runs after the first rows were written."""
    real, calls = large_imports.breathe, [0]

    async def breathe(database: Database, began: float) -> None:
        await real(database, began)
        calls[0] += 1
        if calls[0] == 5:
            await between()

    monkeypatch.setattr(large_imports, "breathe", breathe)


@pytest.mark.parametrize("replace", [False, True])
async def test_it_is_what_a_small_one_would_be(database: Database, lexicon: Lexicon, replace: bool) -> None:
    given = [word(number, "low") for number in range(10, 50)]
    revision = await take(database, *given, replace=replace)
    large, after = await draft(database), await find(database)
    assert after.revision == revision
    await create_lexicon(database, "acme", "other", "", NOW)
    async with database.write() as connection:
        other = await get_lexicon(connection, "acme", "other", lock=True)
        await put_items(connection, other, [item_of(word(number)) for number in range(20)], ME)
        await import_content(connection, other, prepare_content(Content(terms=tuple(given))), ME, replace=replace)
    small = await read_content(database, other.items_id)
    assert large == {each.pattern: each.severity for each in small.terms}
    item = await get_item(database, after.items_id, "term", word(10).id)
    assert lexicon.revision < item.revision <= revision


async def test_nobody_sees_half_of_it_and_others_write_meanwhile(
    database: Database, lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is changed while rows are copied is there afterwards, but where the file speaks of the same."""

    async def between() -> None:
        assert len(await draft(database)) == 20
        async with database.write() as connection:
            mine = await get_lexicon(connection, "acme", "shop-words", lock=True)
            await put_items(connection, mine, [item_of(word(0, "low")), item_of(word(30, "medium"))], ME)
            await put_items(connection, mine, [item_of(word(99))], ME)
            present = await get_item(connection, mine.items_id, "term", word(1).id)
            await remove_item(connection, mine, "term", word(1).id, ME, over=present.revision)

    once(monkeypatch, between)
    await take(database, *(word(number) for number in range(20, 50)))
    found = await draft(database)
    assert len(found) == 50
    assert (found["词000"], found["词030"], found["词099"]) == ("low", "high", "high")
    assert "词001" not in found


async def test_another_import_in_between_is_not_lost(
    database: Database, lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def between() -> None:
        await take(database, word(200))

    once(monkeypatch, between)
    await take(database, *(word(number) for number in range(20, 60)))
    assert len(await draft(database)) == 61


async def test_what_was_killed_or_replaced_is_swept(database: Database, lexicon: Lexicon) -> None:
    async def fail() -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await take(database, *(word(number) for number in range(30)), replace=True, last=fail)
    assert len(await draft(database)) == 20
    assert await rows(database) == 50
    await take(database, word(7), replace=True)
    assert await draft(database) == {"词007": "high"}
    assert await sweep_leftovers(database, NOW + timedelta(minutes=4)) == 0
    assert await sweep_leftovers(database, NOW + timedelta(hours=1)) == 2
    assert await rows(database) == 1


async def test_what_was_swept_takes_no_place(
    database: Database, lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def between() -> None:
        await sweep_leftovers(database, NOW + timedelta(hours=1))

    once(monkeypatch, between)
    with pytest.raises(Conflict):
        await take(database, *(word(number) for number in range(60)))
    assert len(await draft(database)) == 20
