"""Other ids of incidents: what an answer called an incident before it was found to be one more attempt at another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from service.record import schema
from service.record.database import Store, insert_new, reading
from service.record.incident import Incident
from service.record.upkeep_schema import incident_aliases as _table


async def add_aliases(connection: AsyncConnection, aliases: Mapping[str, str], incidents: Sequence[Incident]) -> None:
    """Keeps that `incidents` are to be found under other ids: own id -> id of the incident that is stored."""
    rows = [
        {"tenant_id": each.tenant_id, "id": each.id, "incident_id": aliases[each.id], "created_at": each.created_at}
        for each in incidents
        if each.id in aliases
    ]
    if rows:
        rows.sort(key=lambda row: (row["tenant_id"], row["id"]))
        await connection.execute(insert_new(_table, connection.dialect), rows)


async def find_alias(store: Store, tenant_id: str, alias: str) -> str | None:
    """The id of the incident that is meant; None for an id that is no other one's."""
    query = select(_table.c.incident_id).where(_table.c.tenant_id == tenant_id, _table.c.id == alias)
    async with reading(store) as connection:
        found: str | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def settled_ids(connection: AsyncConnection, incidents: Sequence[Incident]) -> dict[str, str]:
    """Which of `incidents` the store knows already: own id -> id under which it is stored, mostly the same."""
    if not incidents:
        return {}
    keys = [(each.tenant_id, each.id) for each in incidents]
    own = schema.incidents.c
    stored = select(own.id).where(tuple_(own.tenant_id, own.id).in_(keys))
    known = {str(found): str(found) for found in (await connection.execute(stored)).scalars()}
    other = select(_table.c.id, _table.c.incident_id).where(tuple_(_table.c.tenant_id, _table.c.id).in_(keys))
    return known | {str(row.id): str(row.incident_id) for row in await connection.execute(other)}
