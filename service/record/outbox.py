"""The outbox: an event is stored in the transaction of the change that it tells of, with a delivery for each listener.

    change, event, deliveries -> one commit -> whoever delivers finds them

One statement looks for listeners, for a whole group of changes; where there are none, nothing is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils import uuid7

from service.record.event import Event
from service.record.outbox_schema import outbox_events as _events
from service.record.outbox_schema import webhook_deliveries as _deliveries
from service.record.outbox_schema import webhook_endpoints as _endpoints


class Listener(NamedTuple):
    """An endpoint that is switched on."""

    endpoint_id: str
    types: frozenset[str]
    """`*` for all."""

    def hears(self, kind: str) -> bool:
        return "*" in self.types or kind in self.types


Listeners = Mapping[str, list[Listener]]
"""By tenant."""

# Made once: it is asked with every group of incidents.
_LISTENERS = select(_endpoints.c.tenant_id, _endpoints.c.id, _endpoints.c.events).where(
    _endpoints.c.tenant_id.in_(bindparam("tenants", expanding=True)),
    _endpoints.c.enabled,
    _endpoints.c.deleted_at.is_(None),
)


async def listeners_of(connection: AsyncConnection, tenant_ids: Collection[str]) -> Listeners:
    """Who hears of anything in these tenants; tenants without a listener are left out."""
    found: dict[str, list[Listener]] = {}
    if tenant_ids:
        for tenant_id, endpoint_id, types in await connection.execute(_LISTENERS, {"tenants": sorted(tenant_ids)}):
            found.setdefault(tenant_id, []).append(Listener(endpoint_id, frozenset(types.split())))
    return found


async def put_events(
    connection: AsyncConnection, events: Iterable[Event], listeners: Listeners, *, but: str | None = None
) -> None:
    """Stores the events that somebody listens to, in their order, in the connection's transaction.

    Endpoint `but` is not told. Whoever makes two events of one subject must hold a lock of that subject, or their order
    means nothing.
    """
    heard: list[dict[str, object]] = []
    rows: list[dict[str, object]] = []
    for event in events:
        told = [
            each.endpoint_id
            for each in listeners.get(event.tenant_id, ())
            if each.hears(event.type) and each.endpoint_id != but
        ]
        if not told:
            continue
        common = {"tenant_id": event.tenant_id, "type": event.type, "subject": event.subject}
        heard.append({**common, "id": event.id, "at": event.at, "body": msgspec.json.encode(event.data)})
        rows += [
            {
                **common,
                "id": str(uuid7()),
                "endpoint_id": endpoint_id,
                "event_id": event.id,
                "state": "pending",
                "created_at": event.at,
                "attempts": 0,
                "next_attempt_at": event.at,
            }
            for endpoint_id in told
        ]
    if heard:
        await connection.execute(insert(_events), heard)
        await connection.execute(insert(_deliveries), rows)
