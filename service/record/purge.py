"""Deletes incidents that are old, with all that was said about them. What they cost stays: the ledger is sums of what was
entered, and names an incident only by its id.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from service.record import schema
from service.record.database import Store, reading, writing
from service.record.upkeep_schema import incident_aliases

_incidents = schema.incidents.c
_ABOUT = (schema.appeals, schema.reviews, incident_aliases)


async def list_tenants(store: Store) -> list[str]:
    """Every tenant, by id."""
    async with reading(store) as connection:
        return list((await connection.execute(select(schema.tenants.c.id).order_by(schema.tenants.c.id))).scalars())


async def purge_incidents(store: Store, tenant_id: str, before: datetime, limit: int) -> int:
    """Deletes the tenant's oldest incidents made before `before`, at most `limit`; returns how many went.

    One that is appealed stays until that is decided.
    """
    old = (
        select(_incidents.id)
        .where(_incidents.tenant_id == tenant_id, _incidents.created_at < before, _incidents.state != "appealed")
        .order_by(_incidents.created_at)
        .limit(limit)
    )
    async with writing(store) as connection:
        ids = list((await connection.execute(old)).scalars())
        if not ids:
            return 0
        for table in _ABOUT:
            own = (table.c.tenant_id == tenant_id, table.c.incident_id.in_(ids))
            await connection.execute(delete(table).where(*own))
        # Their categories go with them.
        await connection.execute(delete(schema.incidents).where(_incidents.id.in_(ids)))
    return len(ids)
