"""What every change left of a shop: a row for each, never changed. Always within one tenant."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, insert, select

from service.errors import NotFound
from service.record.cursor import key_cursor, read_number_cursor
from service.record.database import Store, reading, writing
from service.record.drafts import Author
from service.record.shops import Shop
from service.record.traffic_schema import shop_revisions as _table


class ShopRevision(msgspec.Struct, frozen=True, kw_only=True):
    """One state of a shop."""

    shop_id: str
    revision: int
    """From 1; goes on where a shop is deleted and put again."""
    before: Shop | None
    """None: there was none."""
    after: Shop | None
    """None: it was deleted."""
    author: Author


async def shop_revision(store: Store, tenant_id: str, shop_id: str) -> int:
    """The number of the last change; 0 where there was none."""
    query = select(func.max(_table.c.revision)).where(_table.c.tenant_id == tenant_id, _table.c.shop_id == shop_id)
    async with reading(store) as connection:
        return (await connection.execute(query)).scalar_one() or 0


async def add_shop_revision(store: Store, tenant_id: str, shop_id: str, after: Shop | None, author: Author) -> int:
    """Notes what a change left, in the transaction of that change; returns its number."""
    async with writing(store) as connection:
        revision = await shop_revision(connection, tenant_id, shop_id) + 1
        row = {"tenant_id": tenant_id, "shop_id": shop_id, "revision": revision, "key_id": author.key_id}
        row |= {"body": after and msgspec.json.encode(after), "reason": author.reason, "at": author.at}
        await connection.execute(insert(_table).values(row))
    return revision


async def list_shop_revisions(
    store: Store, tenant_id: str, shop_id: str, *, limit: int, cursor: str | None = None
) -> tuple[list[ShopRevision], str | None]:
    """At most `limit`, newest first, and the cursor of the next page or None. Raises Malformed for a broken cursor."""
    query = select(_table).where(_table.c.tenant_id == tenant_id, _table.c.shop_id == shop_id)
    if cursor is not None:
        query = query.where(_table.c.revision < read_number_cursor(cursor))
    async with reading(store) as connection:
        rows = list(await connection.execute(query.order_by(_table.c.revision.desc()).limit(limit + 1)))
    bodies = [row.body and msgspec.json.decode(row.body, type=Shop) for row in rows]
    found = [
        ShopRevision(
            shop_id=shop_id,
            revision=row.revision,
            before=before,
            after=after,
            author=Author(row.key_id, row.at, row.reason),
        )
        for row, after, before in zip(rows[:limit], bodies, [*bodies[1:], None], strict=False)
    ]
    return found, key_cursor(str(found[-1].revision)) if len(rows) > limit else None


async def get_shop_revision(store: Store, tenant_id: str, shop_id: str, revision: int) -> Shop | None:
    """The shop as that change left it; None: deleted. Raises NotFound for a change that never was."""
    query = select(_table.c.body).where(
        _table.c.tenant_id == tenant_id, _table.c.shop_id == shop_id, _table.c.revision == revision
    )
    async with reading(store) as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"shop {shop_id} has no revision {revision}; GET /v1/shops/{shop_id}/revisions lists them")
    return row.body and msgspec.json.decode(row.body, type=Shop)
