"""The forecast of an answer: what the message would cost, from sums that were read a moment ago.

It never makes a decision wait: what the store does not give in time is left out, and the answer says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime

import msgspec

from service.errors import Unavailable
from service.penalise.case import Case, marks_of
from service.penalise.forecast import forecasts_of
from service.penalise.ladder import Ladders
from service.penalise.standings import first_day
from service.penalise.window import local_day, zone_of
from service.record.account import AccountKind, agent_account, shop_account
from service.record.database import Database
from service.record.entry import DaySum
from service.record.ledger import SumKey, day_sums
from service.record.outcome import Outcome
from service.record.sent import Sent
from service.record.withhold import storable

PATIENCE = 0.1
"""Seconds to wait for the store."""
NOT_READ = "penalty: ledger not reachable"

TallyKey = tuple[str, str, str, date]
"""Tenant, shop, agent, and the first day that counts."""
Tallies = Mapping[SumKey, list[DaySum]]


class Foresight:
    """Looks ahead for messages that were not allowed."""

    def __init__(self, ladders: Ladders, read: Callable[[TallyKey], Awaitable[Tallies]]) -> None:
        self._ladders = ladders
        self._read = read
        """Sums of an agent's and its shop's account; may be up to a second old."""

    async def look(self, sent: Sent, outcome: Outcome, at: datetime, *, ask: bool = True) -> Outcome:
        """The outcome with its forecast and exposure. Where the store does not answer both are empty, and `degraded`
        says why. Without `ask` the store is known to be out.
        """
        ladders = self._ladders.of_shop(sent.ladders, sent.message.platform)
        if not ladders:
            return outcome
        if not ask:
            return msgspec.structs.replace(outcome, degraded=(*outcome.degraded, NOT_READ))
        moment = sent.sent_at or at
        day = local_day(moment, zone_of(sent.timezone))
        shop_id, agent_id = storable(sent.shop_id), storable(sent.agent_id)
        try:
            async with asyncio.timeout(PATIENCE):
                sums = await self._read((sent.tenant_id, shop_id, agent_id, first_day(ladders, day)))
        except (Unavailable, TimeoutError):
            return msgspec.structs.replace(outcome, degraded=(*outcome.degraded, NOT_READ))

        def own(kind: AccountKind, scheme: str) -> Sequence[DaySum]:
            agent = kind == "agent"
            account = (
                agent_account(sent.tenant_id, shop_id, agent_id) if agent else shop_account(sent.tenant_id, shop_id)
            )
            return sums.get((sent.tenant_id, account.id, scheme), [])

        case = Case(
            id="", sent_at=moment, agent_id=agent_id, channel=sent.message.channel, marks=marks_of(outcome.findings)
        )
        found = forecasts_of(ladders, case, own, day)
        return msgspec.structs.replace(
            outcome,
            forecast=tuple(each for each in found if each.side == "shop"),
            exposure=tuple(each for each in found if each.side == "platform"),
        )


def tallies_of(database: Database, ladders: Ladders) -> Callable[[TallyKey], Awaitable[Tallies]]:
    """Reads the sums from the store; whoever calls often remembers what it gave."""

    async def read(key: TallyKey) -> Tallies:
        tenant_id, shop_id, agent_id, first = key
        accounts = (agent_account(tenant_id, shop_id, agent_id), shop_account(tenant_id, shop_id))
        return await day_sums(database, [(tenant_id, each.id) for each in accounts], first, by_day=ladders.by_day)

    return read
