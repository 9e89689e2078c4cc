"""Webhook endpoints: who is told of what, and where. Always within one tenant; secrets and addresses are kept sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Conflict, NotFound
from service.record.cursor import key_cursor, read_key_cursor
from service.record.database import Store, reading, writing
from service.record.event import EVENT_TYPES, new_event
from service.record.outbox import listeners_of, put_events
from service.record.outbox_schema import webhook_endpoints as _table

Kind = Literal["standard", "dingtalk_robot", "feishu_robot", "wecom_robot"]
Envelope = Literal["standard", "cloudevents"]
MAX_ENDPOINTS = 50
"""Of one tenant."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where events are sent to. Times are aware, UTC."""

    id: str
    """UUIDv7."""
    tenant_id: str
    kind: Kind
    envelope: Envelope
    url_sealed: str
    url_shown: str
    """Without what makes it a secret."""
    events: str
    """Types with blanks in between; `*` for all that there are and will be."""
    description: str
    secret_sealed: str | None
    """None: nothing is signed."""
    old_secret_sealed: str | None = None
    """Signs too, until `old_secret_until`."""
    old_secret_until: datetime | None = None
    enabled: bool = True
    disabled_reason: str | None = None
    """Why the service switched it off; None when an admin did."""
    disabled_at: datetime | None = None
    failing_since: datetime | None = None
    """Of the first failure since the last success; None when the last attempt was one."""
    not_before: datetime | None = None
    """Nothing is sent until then."""
    created_at: datetime
    updated_at: datetime

    @property
    def types(self) -> list[str]:
        return list(EVENT_TYPES) if self.events == "*" else self.events.split()


async def add_endpoint(store: Store, endpoint: Endpoint) -> None:
    """Raises Conflict `too_many`."""
    async with writing(store) as connection:
        own = (_table.c.tenant_id == endpoint.tenant_id, _table.c.deleted_at.is_(None))
        count = (await connection.execute(select(func.count()).select_from(_table).where(*own))).scalar_one()
        if count >= MAX_ENDPOINTS:
            raise Conflict(f"there are {MAX_ENDPOINTS} endpoints already; delete one first", code="too_many")
        await connection.execute(insert(_table).values(msgspec.structs.asdict(endpoint)))


async def get_endpoint(store: Store, tenant_id: str, endpoint_id: str, *, lock: bool = False) -> Endpoint:
    """Raises NotFound. With `lock` it is held until the end of the transaction."""
    query = select(_table).where(*_own(tenant_id, endpoint_id))
    async with reading(store) as connection:
        row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFound(f"there is no webhook endpoint {endpoint_id}; list them at /v1/webhook-endpoints")
    return endpoint_of_row(row)


async def list_endpoints(
    store: Store, tenant_id: str, *, limit: int, cursor: str | None = None
) -> tuple[list[Endpoint], str | None]:
    """At most `limit`, oldest first, and the cursor of the next page or None. Raises Malformed for a broken cursor."""
    query = select(_table).where(_table.c.tenant_id == tenant_id, _table.c.deleted_at.is_(None))
    if cursor is not None:
        query = query.where(_table.c.id > read_key_cursor(cursor, 1)[0])
    async with reading(store) as connection:
        rows = await connection.execute(query.order_by(_table.c.id).limit(limit + 1))
        found = [endpoint_of_row(row) for row in rows]
    if len(found) <= limit:
        return found, None
    return found[:limit], key_cursor(found[limit - 1].id)


async def change_endpoint(store: Store, endpoint: Endpoint, at: datetime, **changes: Any) -> Endpoint:
    """Changes a locked endpoint; returns it as it is then."""
    changed = msgspec.structs.replace(endpoint, updated_at=at, **changes)
    async with writing(store) as connection:
        own = _own(endpoint.tenant_id, endpoint.id)
        await connection.execute(update(_table).where(*own).values(updated_at=at, **changes))
    return changed


async def delete_endpoint(store: Store, endpoint: Endpoint, at: datetime) -> None:
    """Nothing more is sent to it; its secrets go at once, its deliveries with the next tidying up."""
    async with writing(store) as connection:
        gone = {"deleted_at": at, "enabled": False, "url_sealed": "", "secret_sealed": None, "old_secret_sealed": None}
        await connection.execute(update(_table).where(*_own(endpoint.tenant_id, endpoint.id)).values(gone))


async def switch_off(connection: AsyncConnection, endpoint: Endpoint, reason: str, at: datetime) -> None:
    """The service gives a locked endpoint up, and tells the tenant's others."""
    await change_endpoint(connection, endpoint, at, enabled=False, disabled_reason=reason, disabled_at=at)
    data = {
        "endpoint_id": endpoint.id,
        "url": endpoint.url_shown,
        "kind": endpoint.kind,
        "reason": reason,
        "failing_since": endpoint.failing_since or at,
        "link": f"/v1/webhook-endpoints/{endpoint.id}",
    }
    event = new_event(endpoint.tenant_id, "endpoint.disabled", f"webhook-endpoints/{endpoint.id}", at, data)
    listeners = await listeners_of(connection, {endpoint.tenant_id})
    await put_events(connection, [event], listeners, but=endpoint.id)


def endpoint_of_row(row: Row[Any]) -> Endpoint:
    return msgspec.convert(row, Endpoint, from_attributes=True)


def _own(tenant_id: str, endpoint_id: str) -> tuple[Any, ...]:
    return _table.c.tenant_id == tenant_id, _table.c.id == endpoint_id, _table.c.deleted_at.is_(None)
