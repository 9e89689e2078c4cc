"""Up to where messages were fetched from a tool: one position for each account of a connection."""

from __future__ import annotations

from sqlalchemy import select, update

from service.record.connection_schema import hook_cursors as _table
from service.record.database import Store, insert_new, reading, writing


async def read_position(store: Store, connection_id: str, account: str) -> str:
    """The position, in the tool's own spelling; "" when nothing was fetched yet."""
    query = select(_table.c.position).where(_table.c.connection_id == connection_id, _table.c.account == account)
    async with reading(store) as connection:
        return (await connection.execute(query)).scalar_one_or_none() or ""


async def keep_position(store: Store, connection_id: str, account: str, position: str) -> None:
    """Whoever comes last wins: two workers that fetch the same messages check each only once."""
    row = {"connection_id": connection_id, "account": account, "position": position}
    own = (_table.c.connection_id == connection_id, _table.c.account == account)
    async with writing(store) as connection:
        await connection.execute(insert_new(_table, connection.dialect).values(row))
        await connection.execute(update(_table).where(*own).values(position=position))
