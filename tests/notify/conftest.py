"""An outbox with endpoints, a clock that stands still, and somebody who listens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest
from uuid_utils import uuid7

from service.api.log import make_log
from service.clock import FixedClock
from service.notify.deliverer import Deliverer
from service.notify.send import Sender
from service.notify.standard import new_secret
from service.notify.targets import shown_url
from service.record.database import Database
from service.record.deliveries import Delivery, list_deliveries
from service.record.endpoints import Endpoint, add_endpoint, get_endpoint
from service.record.event import new_event
from service.record.outbox import listeners_of, put_events
from service.record.sealed import Sealer
from tests.notify.receiver import Receiver, receiving

LOOPBACK = (ip_network("127.0.0.0/8"),)
SEALER = Sealer("the key of all these tests")


class Outbox:
    """Puts in, and takes out, by hand."""

    def __init__(self, database: Database) -> None:
        self.database = database
        # The reference library compares with the real time.
        self.clock = FixedClock(datetime.now(UTC))
        self.outcomes: list[str] = []
        self.secret = new_secret()

    def deliverer(self, database: Database | None = None, seconds: float = 5.0, **options: Any) -> Deliverer:
        return Deliverer(
            database or self.database,
            Sender(LOOPBACK, seconds),
            SEALER,
            self.clock,
            make_log("error"),
            count=self.outcomes.append,
            chance=lambda: 0.0,
            **options,
        )

    async def endpoint(self, url: str, **changes: Any) -> Endpoint:
        now = self.clock.now()
        fields: dict[str, Any] = {
            "id": str(uuid7()),
            "tenant_id": "acme",
            "kind": "standard",
            "envelope": "standard",
            "url_sealed": SEALER.seal(url),
            "url_shown": shown_url(url, changes.get("kind", "standard")),
            "events": "*",
            "description": "",
            "secret_sealed": SEALER.seal(self.secret),
            "created_at": now,
            "updated_at": now,
        }
        made = Endpoint(**fields | changes)
        await add_endpoint(self.database, made)
        return made

    async def put(self, *about: str, tenant: str = "acme") -> None:
        """An event for each (`subject` or `subject type`), which say which one of their subject they are."""
        async with self.database.write() as connection:
            listeners = await listeners_of(connection, {tenant})
            events = []
            for number, each in enumerate(about):
                subject, _, kind = each.partition(" ")
                data = {"about": subject, "number": number}
                events.append(new_event(tenant, kind or "incident.created", subject, self.clock.now(), data))
            await put_events(connection, events, listeners)

    async def run(self, deliverer: Deliverer, turns: int = 200) -> None:
        """Sends until nothing is due."""
        for _ in range(turns):
            if not await deliverer.turn():
                return
            await deliverer.idle()
        raise AssertionError("there is always something due")

    async def after(self, deliverer: Deliverer, seconds: float) -> None:
        """Sends what is due then."""
        self.clock.advance(seconds)
        await self.run(deliverer)

    async def deliveries(self, endpoint: Endpoint) -> list[Delivery]:
        """Oldest first."""
        found, _ = await list_deliveries(self.database, endpoint.tenant_id, endpoint.id, None, limit=200)
        return found[::-1]

    async def states(self, endpoint: Endpoint) -> list[str]:
        return [each.state for each in await self.deliveries(endpoint)]

    async def now(self, endpoint: Endpoint) -> Endpoint:
        return await get_endpoint(self.database, endpoint.tenant_id, endpoint.id)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver
