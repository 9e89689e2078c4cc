"""Many statements in one go behave as one by one: same transaction, same errors, and nobody else's."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.record.at_once import at_once
from service.record.database import Database
from service.record.ledger import lock_accounts
from service.record.schema import tenants
from tests.record.factories import NOW
from tests.record.test_books import AGENT, SHOP


async def add(connection: AsyncConnection, *names: str) -> list[str]:
    """Adds tenants one by one; returns all."""
    for name in names:
        await connection.execute(insert(tenants).values(id=name, created_at=NOW))
    found = await connection.execute(select(tenants.c.id, tenants.c.created_at).order_by(tenants.c.id))
    return [name for name, at in found if at == NOW]


async def count(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(tenants))).scalar_one())


async def test_it_is_part_of_the_transaction_around_it(database: Database) -> None:
    async def undo() -> None:
        async with database.write() as connection:
            await add(connection, "a")
            assert await at_once(connection, lambda inside: add(inside, "b", "c")) == ["a", "b", "c"]
            assert await add(connection, "d") == ["a", "b", "c", "d"]
            raise KeyError

    before = await count(database)
    for _ in range(2):
        with pytest.raises(KeyError):
            await undo()
        assert await count(database) == before
    async with database.write() as connection:
        await at_once(connection, lambda inside: add(inside, "b", "c"))
    assert await count(database) == before + 2


async def test_an_error_comes_out_as_it_is_and_undoes_all(database: Database) -> None:
    before = await count(database)
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await at_once(connection, lambda inside: add(inside, "a", "b", "a"))
    assert await count(database) == before


async def test_waiting_for_anything_else_is_refused(database: Database) -> None:
    async def waits(connection: AsyncConnection) -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="something else"):
        async with database.write() as connection:
            await at_once(connection, waits)


async def test_accounts_that_were_forgotten_are_opened_again(database: Database) -> None:
    opened = {(each.tenant_id, each.id) for each in (AGENT, SHOP)}
    for _ in range(2):
        async with database.write() as connection:
            assert await lock_accounts(connection, [AGENT, SHOP], opened) == dict.fromkeys(opened, 0)
