"""Shops and what they have registered as their own. Always within one tenant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Select, bindparam, delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from service.errors import NotFound
from service.record import schema
from service.record.cursor import key_cursor, read_key_cursor
from service.record.database import Store, reading, writing
from service.text.message import NO_ASSETS, Assets
from service.vocabulary import Platform

_table = schema.shops
_THESE = select(_table).where(tuple_(_table.c.tenant_id, _table.c.shop_id).in_(bindparam("keys", expanding=True)))


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """One store on one marketplace."""

    shop_id: str
    """The client's own id, unique in the tenant."""
    platform: Platform
    timezone: str = "Asia/Shanghai"
    """IANA name; decides the shop's calendar day and its night hours."""
    ladders: tuple[str, ...] = ()
    """Names of the schemes by which the shop counts against its agents."""
    assets: Assets = NO_ASSETS
    """What agents of this shop may send."""


async def get_shop(database: Store, tenant_id: str, shop_id: str) -> Shop:
    """Raises NotFound for a shop that was never put."""
    async with reading(database) as connection:
        row = (await connection.execute(_select(tenant_id, shop_id))).one_or_none()
    if row is None:
        raise no_shop(shop_id)
    return _shop(row)


async def find_shops(database: Store, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Shop]:
    """The shops of these tenants and ids; those that were never put are left out."""
    async with reading(database) as connection:
        rows = await connection.execute(_THESE, {"keys": sorted(set(keys))})
        return {(row.tenant_id, row.shop_id): _shop(row) for row in rows}


async def put_shop(database: Store, tenant_id: str, shop: Shop, at: datetime) -> Shop | None:
    """Stores the shop in place of what was there; returns that, or None when it is new."""
    row = msgspec.to_builtins(shop)
    async with writing(database) as connection:
        before = (await connection.execute(_select(tenant_id, shop.shop_id).with_for_update())).one_or_none()
        insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
        statement = insert(_table).values(row | {"tenant_id": tenant_id, "updated_at": at})
        changed = {name: statement.excluded[name] for name in (*row, "updated_at") if name != "shop_id"}
        await connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "shop_id"], set_=changed))
    return None if before is None else _shop(before)


async def delete_shop(database: Store, tenant_id: str, shop_id: str) -> Shop:
    """Forgets the shop and returns it as it was. Its incidents stay. Raises NotFound."""
    statement = delete(_table).where(_table.c.tenant_id == tenant_id, _table.c.shop_id == shop_id).returning(_table)
    async with writing(database) as connection:
        row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise no_shop(shop_id)
    return _shop(row)


async def list_shops(
    database: Store, tenant_id: str, *, limit: int, cursor: str | None = None
) -> tuple[list[Shop], str | None]:
    """At most `limit` shops by id, and the cursor of the next page or None. Raises Malformed for a broken
    cursor.
    """
    query = select(_table).where(_table.c.tenant_id == tenant_id).order_by(_table.c.shop_id).limit(limit + 1)
    if cursor is not None:
        query = query.where(_table.c.shop_id > read_key_cursor(cursor, 1)[0])
    async with reading(database) as connection:
        found = [_shop(row) for row in await connection.execute(query)]
    if len(found) <= limit:
        return found, None
    return found[:limit], key_cursor(found[limit - 1].shop_id)


def _select(tenant_id: str, shop_id: str) -> Select[Any]:
    return select(_table).where(_table.c.tenant_id == tenant_id, _table.c.shop_id == shop_id)


def _shop(row: Row[Any]) -> Shop:
    return msgspec.convert(row, Shop, from_attributes=True)


def no_shop(shop_id: str) -> NotFound:
    """The error for a shop that is not there."""
    return NotFound(f"there is no shop {shop_id}; put it with PUT /v1/shops/{shop_id}")
