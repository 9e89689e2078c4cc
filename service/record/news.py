"""What must go live is numbered: each worker compares the number it serves with the one that is stored.

A number is taken in the transaction of its change, so there is no change without news and no news without its change.
"""

from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.record.database import Store, reading
from service.record.lexicon_schema import news as _news
from service.record.lexicon_schema import tenant_news as _tenants

CHANNEL = "shenyan_news"
"""On PostgreSQL every listener of this channel hears the new number when the transaction has committed."""


async def tell(connection: AsyncConnection, tenant_id: str) -> int:
    """Says that something of the tenant's that is in service has changed; returns the change's number.

    Whoever tells holds everybody else's news back until the transaction ends, so tell last.
    """
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    raised = insert(_news).values(id=1, number=1)
    counted = raised.on_conflict_do_update(index_elements=["id"], set_={"number": _news.c.number + 1})
    number: int = (await connection.execute(counted.returning(_news.c.number))).scalar_one()
    noted = insert(_tenants).values(tenant_id=tenant_id, number=number)
    await connection.execute(noted.on_conflict_do_update(index_elements=["tenant_id"], set_={"number": number}))
    if connection.dialect.name != "sqlite":
        await connection.execute(
            text("SELECT pg_notify(:channel, :number)"), {"channel": CHANNEL, "number": str(number)}
        )
    return number


async def news_since(store: Store, number: int) -> dict[str, int]:
    """Tenant -> number of its last change, of all that changed after `number`."""
    query = select(_tenants.c.tenant_id, _tenants.c.number).where(_tenants.c.number > number)
    async with reading(store) as connection:
        return {row.tenant_id: row.number for row in await connection.execute(query)}


async def last_number(store: Store) -> int:
    """Of the last change of all; 0 when there was none yet."""
    async with reading(store) as connection:
        found: int | None = (await connection.execute(select(_news.c.number))).scalar_one_or_none()
    return found or 0
