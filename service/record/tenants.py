"""What a tenant has set for itself: a row for every change ever made, the last one counts."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import insert, select

from service.errors import Stale
from service.record.database import Store, reading, writing
from service.record.drafts import Author
from service.record.news import tell
from service.record.traffic_schema import tenant_settings as _table


class Sampling(msgspec.Struct, frozen=True):
    """How many of the allowed messages are kept, so that a draft can be tried on them, and for how long."""

    rate: float = 0.0
    """0 (none) to 1 (all)."""
    days: int = 14


class TenantSettings(msgspec.Struct, frozen=True):
    """All that a tenant can set."""

    sampling: Sampling = Sampling()


class TenantRevision(msgspec.Struct, frozen=True, kw_only=True):
    """One state of a tenant's settings."""

    revision: int = 0
    """0 where nothing was ever set."""
    settings: TenantSettings = TenantSettings()
    key_id: str = ""
    reason: str | None = None
    at: datetime | None = None


async def get_settings(store: Store, tenant_id: str) -> TenantRevision:
    """The settings in force; the defaults are revision 0."""
    query = select(_table).where(_table.c.tenant_id == tenant_id).order_by(_table.c.revision.desc()).limit(1)
    async with reading(store) as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        return TenantRevision()
    settings = msgspec.json.decode(row.body, type=TenantSettings)
    return TenantRevision(revision=row.revision, settings=settings, key_id=row.key_id, reason=row.reason, at=row.at)


async def put_settings(
    store: Store, tenant_id: str, settings: TenantSettings, author: Author, *, over: int | None
) -> tuple[TenantRevision, TenantRevision]:
    """Puts `settings` in force, and tells the workers; returns what was, and what is.

    Raises Stale unless `over` is the revision in force, or None.
    """
    async with writing(store) as connection:
        # First the news, whose row keeps two writers one after the other.
        await tell(connection, tenant_id)
        before = await get_settings(connection, tenant_id)
        if over is not None and over != before.revision:
            raise Stale(f"the settings are at revision {before.revision} now; read them again")
        after = TenantRevision(
            revision=before.revision + 1,
            settings=settings,
            key_id=author.key_id,
            reason=author.reason,
            at=author.at,
        )
        row = {"tenant_id": tenant_id, "revision": after.revision, "body": msgspec.json.encode(settings)}
        row |= {"key_id": author.key_id, "reason": author.reason, "at": author.at}
        await connection.execute(insert(_table).values(row))
    return before, after
