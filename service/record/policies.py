"""What tenants have changed in the platforms' policies: a row for every change ever made, the last one counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, func, insert, select

from service.errors import NotFound, Stale
from service.lexicon.changes import PolicyChange
from service.record.announce import announce_policy
from service.record.cursor import key_cursor, read_number_cursor
from service.record.database import Store, reading, writing
from service.record.drafts import Author
from service.record.lexicon_schema import policy_revisions as _table
from service.record.news import tell
from service.vocabulary import Platform


class PolicyRevision(msgspec.Struct, frozen=True, kw_only=True):
    """One state of a tenant's changes on a platform."""

    platform: Platform
    revision: int
    """0 where nothing was ever changed."""
    change: PolicyChange
    key_id: str = ""
    reason: str | None = None
    at: datetime | None = None


async def get_policy(store: Store, tenant_id: str, platform: Platform) -> PolicyRevision:
    """The changes in force; none are revision 0."""
    async with reading(store) as connection:
        found = await list_policies(connection, tenant_id)
    return found.get(platform, PolicyRevision(platform=platform, revision=0, change=PolicyChange()))


async def list_policies(store: Store, tenant_id: str) -> dict[Platform, PolicyRevision]:
    """The changes in force, of the platforms that have any."""
    last = (
        select(_table.c.platform, func.max(_table.c.revision).label("revision"))
        .where(_table.c.tenant_id == tenant_id)
        .group_by(_table.c.platform)
        .subquery()
    )
    query = select(_table).join(last, (_table.c.platform == last.c.platform) & (_table.c.revision == last.c.revision))
    async with reading(store) as connection:
        rows = await connection.execute(query.where(_table.c.tenant_id == tenant_id))
        return {row.platform: _revision(row) for row in rows}


async def list_policy_revisions(
    store: Store, tenant_id: str, platform: Platform, *, limit: int, cursor: str | None = None
) -> tuple[list[PolicyRevision], str | None]:
    """At most `limit`, newest first, and the cursor of the next page or None. Raises Malformed for a broken cursor."""
    query = select(_table).where(_table.c.tenant_id == tenant_id, _table.c.platform == platform)
    if cursor is not None:
        query = query.where(_table.c.revision < read_number_cursor(cursor))
    async with reading(store) as connection:
        rows = await connection.execute(query.order_by(_table.c.revision.desc()).limit(limit + 1))
        found = [_revision(row) for row in rows]
    if len(found) <= limit:
        return found, None
    return found[:limit], key_cursor(str(found[limit - 1].revision))


async def get_policy_revision(store: Store, tenant_id: str, platform: Platform, revision: int) -> PolicyRevision:
    """Raises NotFound for a change that never was; 0 is as shipped."""
    if revision == 0:
        return PolicyRevision(platform=platform, revision=0, change=PolicyChange())
    query = select(_table).where(
        _table.c.tenant_id == tenant_id, _table.c.platform == platform, _table.c.revision == revision
    )
    async with reading(store) as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(
            f"the policy of {platform} has no revision {revision}; GET /v1/policies/{platform}/revisions lists them"
        )
    return _revision(row)


async def put_policy(
    store: Store, tenant_id: str, platform: Platform, change: PolicyChange, author: Author, *, over: int | None
) -> tuple[PolicyRevision, PolicyRevision]:
    """Puts `change` in place of what was there, and tells the workers; returns what was, and what is.

    Raises Stale unless `over` is the revision in force, or None."""
    async with writing(store) as connection:
        # First the news, whose row keeps two writers one after the other.
        await tell(connection, tenant_id)
        before = await get_policy(connection, tenant_id, platform)
        if over is not None and over != before.revision:
            raise Stale(f"the policy of {platform} is at revision {before.revision} now; read it again")
        after = PolicyRevision(
            platform=platform,
            revision=before.revision + 1,
            change=change,
            key_id=author.key_id,
            reason=author.reason,
            at=author.at,
        )
        row = {"tenant_id": tenant_id, "platform": platform, "revision": after.revision}
        row |= {"body": msgspec.json.encode(change), "key_id": author.key_id, "reason": author.reason, "at": author.at}
        await connection.execute(insert(_table).values(row))
        await announce_policy(connection, tenant_id, platform, after.revision, author.key_id, author.at)
    return before, after


def _revision(row: Row[Any]) -> PolicyRevision:
    return PolicyRevision(
        platform=row.platform,
        revision=row.revision,
        change=msgspec.json.decode(row.body, type=PolicyChange),
        key_id=row.key_id,
        reason=row.reason,
        at=row.at,
    )
