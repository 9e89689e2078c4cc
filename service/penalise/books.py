"""Keeps the books: charges, reversals, adjustments and the sanctions that follow, each in one transaction.

    incident, verdict -> account locked -> entries -> sums -> sanctions

What to write is decided by the pure modules beside this one; how it is stored, by `record/ledger.py` and
`record/sanctions.py`. Every change takes the locks of its accounts first, so of two incidents at a line one comes
first and only one crosses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Conflict, NotFound
from service.penalise.case import Case, case_of, rule_for
from service.penalise.charge import Cost
from service.penalise.ladder import Ladder, Ladders, Occasion
from service.penalise.page import Page, Stamp
from service.penalise.pages import (
    Settled,
    accounts_of,
    page_to_charge,
    page_to_correct,
    pages_to_charge,
    store_pages,
    timezone_of,
)
from service.penalise.window import local_day, zone_of
from service.record.account import Account, agent_account, shop_account
from service.record.announce import announce_sanctions
from service.record.charging import NOTHING, Charged
from service.record.entry import LedgerEntry
from service.record.incident import Incident
from service.record.ledger import (
    Numbers,
    entries_of_incidents,
    find_reversal,
    get_entry,
    lock_accounts,
)
from service.record.shops import Shop, find_shops
from service.vocabulary import Platform, Severity

Verdict = Literal["overridden", "upheld", "reduced", "overturned"]


class Books:
    """All that is done to the ledger. Every method must be called inside `database.write()`, before other rows are
    changed in that transaction: everybody locks accounts first.
    """

    def __init__(self, ladders: Ladders) -> None:
        self.ladders = ladders

    @property
    def repeat_seconds(self) -> float:
        """For how long the same message tried again is the same incident."""
        return self.ladders.defaults.repeat_seconds

    async def charge(self, connection: AsyncConnection, incidents: Sequence[Incident], numbers: Numbers) -> Charged:
        """Charges new incidents what is due at once, for the group writer, which has locked their accounts.

        An incident that was charged before is left alone.
        """
        shops = await find_shops(connection, [(each.tenant_id, each.shop_id) for each in incidents])
        due = [
            (incident, ladder)
            for incident in incidents
            for ladder in self._ladders(shops.get((incident.tenant_id, incident.shop_id)), incident.platform)
            if self._is_due(ladder, incident, incident.decision, shops.get((incident.tenant_id, incident.shop_id)))
        ]
        if not due:
            return NOTHING
        charged = await _charged(connection, [incident for incident, _ in due])
        due = [(incident, ladder) for incident, ladder in due if (incident.id, ladder.scheme) not in charged]
        pages = await pages_to_charge(connection, due, shops, numbers)
        for incident, ladder in due:
            for account in accounts_of(ladder, incident):
                pages[account, ladder.scheme].charge(case_of(incident), Stamp(incident.created_at))
        settled = await store_pages(connection, pages.values(), None)
        return Charged(settled.entries, settled.started)

    async def settle(
        self,
        connection: AsyncConnection,
        incident: Incident,
        verdict: Verdict,
        at: datetime,
        *,
        severity: Severity | None = None,
        key_id: str | None = None,
        note: str | None = None,
    ) -> Settled:
        """Brings the ledger to what `verdict` says of the incident, whatever stands there; a second time does nothing.

        overridden: charges where the ladder says so at once; upheld: charges; reduced: charges as if no finding were
        graver than `severity`; overturned: reverses. Later incidents that were counted after it are counted anew, and
        sanctions that no longer hold are lifted. Whoever calls tells of them.
        """
        accounts = [agent_account(incident.tenant_id, incident.shop_id, incident.agent_id)]
        accounts.append(shop_account(incident.tenant_id, incident.shop_id))
        numbers = await lock_accounts(connection, accounts)
        shops = await find_shops(connection, [(incident.tenant_id, incident.shop_id)])
        shop = shops.get((incident.tenant_id, incident.shop_id))
        case = case_of(incident, severity if verdict == "reduced" else None)
        stamp = Stamp(at, key_id, note or f"incident {incident.id} {verdict}")
        known = await entries_of_incidents(connection, incident.tenant_id, [incident.id])
        charges = {(each.account_id, each.scheme): each for each in known if each.kind == "charge"}
        pages: list[Page] = []
        if verdict != "overridden":
            for account in accounts:
                for (account_id, scheme), charge in sorted(charges.items()):
                    ladder = self.ladders.schemes.get(scheme)
                    if account_id == account.id and ladder is not None:
                        page = await page_to_correct(connection, ladder, account, shop, numbers, charge.day)
                        page.correct(case, stamp, counts=verdict != "overturned")
                        pages.append(page)
        if verdict != "overturned":
            pages += await self._charge_rest(connection, incident, case, verdict, shop, numbers, stamp, charges)
        return await store_pages(connection, pages, stamp)

    async def adjust(
        self,
        connection: AsyncConnection,
        account: Account,
        scheme: str,
        at: datetime,
        *,
        points: int = 0,
        money: int = 0,
        note: str,
        key_id: str,
        day: date | None = None,
    ) -> Settled:
        """A supervisor's entry by hand; negative gives back. `money` in fen; `day` is the shop's, today by default.

        Raises NotFound for a scheme that there is not, or that does not charge such accounts.
        """
        ladder = self.ladders.schemes.get(scheme)
        if ladder is None or account.kind not in ladder.accounts:
            known = ", ".join(name for name, each in self.ladders.schemes.items() if account.kind in each.accounts)
            raise NotFound(f"no scheme {scheme} charges a {account.kind}; there are {known}")
        numbers = await lock_accounts(connection, [account])
        shops = await find_shops(connection, [(account.tenant_id, account.shop_id)])
        shop = shops.get((account.tenant_id, account.shop_id))
        day = day or local_day(at, zone_of(timezone_of(shop)))
        page = await page_to_correct(connection, ladder, account, shop, numbers, day)
        stamp = Stamp(at, key_id, note)
        page.adjust(day, Cost(points, money), stamp)
        return await _store_and_tell(connection, [page], stamp)

    async def reverse(
        self, connection: AsyncConnection, tenant_id: str, entry_id: str, at: datetime, *, note: str, key_id: str
    ) -> Settled:
        """Takes an adjustment back. Raises NotFound; Conflict `already_reversed`, or `not_an_adjustment` for what an
        incident caused: that is taken back by reviewing the incident.
        """
        entry = await get_entry(connection, tenant_id, entry_id)
        ladder = self.ladders.schemes.get(entry.scheme)
        if entry.kind != "adjustment" or ladder is None:
            raise Conflict(
                f"entry {entry_id} is a {entry.kind}; review incident {entry.incident_id} to take it back",
                code="not_an_adjustment",
            )
        account = Account(
            tenant_id, entry.account_kind, entry.shop_id, entry.agent_id if entry.account_kind == "agent" else ""
        )
        numbers = await lock_accounts(connection, [account])
        taken = await find_reversal(connection, tenant_id, entry_id)
        if taken is not None:
            raise Conflict(f"entry {entry_id} was reversed by {taken.id} before", code="already_reversed")
        shops = await find_shops(connection, [(tenant_id, entry.shop_id)])
        shop = shops.get((tenant_id, entry.shop_id))
        page = await page_to_correct(connection, ladder, account, shop, numbers, entry.day)
        stamp = Stamp(at, key_id, note)
        page.take_back(entry, stamp)
        return await _store_and_tell(connection, [page], stamp)

    async def charge_event(
        self, connection: AsyncConnection, account: Account, event: str, event_id: str, sent_at: datetime, at: datetime
    ) -> Settled:
        """Charges an event that is no message, such as `late_answer`, by the schemes of the agent's shop.

        `event_id` is the caller's and takes the place of an incident's id: the same one is charged once.
        """
        numbers = await lock_accounts(connection, [account, shop_account(account.tenant_id, account.shop_id)])
        key = (account.tenant_id, account.shop_id)
        shop = (await find_shops(connection, [key])).get(key)
        known = await entries_of_incidents(connection, account.tenant_id, [event_id])
        case = Case(id=event_id, sent_at=sent_at, agent_id=account.agent_id, event=event)
        pages = []
        for ladder in self._ladders(shop, shop.platform if shop else "generic"):
            for own in (account, shop_account(account.tenant_id, account.shop_id)):
                if own.kind in ladder.accounts and not any(each.scheme == ladder.scheme for each in known):
                    day = local_day(sent_at, zone_of(timezone_of(shop)))
                    page = await page_to_charge(connection, ladder, own, shop, numbers, day)
                    page.charge(case, Stamp(at))
                    pages.append(page)
        return await _store_and_tell(connection, pages, None)

    async def _charge_rest(
        self,
        connection: AsyncConnection,
        incident: Incident,
        case: Case,
        verdict: Verdict,
        shop: Shop | None,
        numbers: Numbers,
        stamp: Stamp,
        charges: dict[tuple[str, str], LedgerEntry],
    ) -> list[Page]:
        """Charges the incident by those schemes that have not charged it yet."""
        pages = []
        for ladder in self._ladders(shop, incident.platform):
            occasion: Occasion = "override" if verdict == "overridden" else incident.decision
            due = self._is_due(ladder, incident, occasion, shop, upheld=verdict != "overridden")
            for account in accounts_of(ladder, incident) if due else ():
                if (account.id, ladder.scheme) not in charges:
                    day = local_day(case.sent_at, zone_of(timezone_of(shop)))
                    page = await page_to_charge(connection, ladder, account, shop, numbers, day)
                    page.charge(case, stamp)
                    pages.append(page)
        return pages

    def _ladders(self, shop: Shop | None, platform: Platform) -> tuple[Ladder, ...]:
        return self.ladders.of_shop(shop.ladders if shop else (), platform)

    def _is_due(
        self, ladder: Ladder, incident: Incident, occasion: Occasion, shop: Shop | None, *, upheld: bool = False
    ) -> bool:
        edition = ladder.edition_on(local_day(incident.sent_at, zone_of(timezone_of(shop))))
        due = self.ladders.due(edition, occasion)
        return (due == "at_once" or (due == "upheld" and upheld)) and rule_for(edition, case_of(incident)) is not None


async def _store_and_tell(connection: AsyncConnection, pages: Sequence[Page], stamp: Stamp | None) -> Settled:
    """Stores what no incident's own event tells of."""
    settled = await store_pages(connection, pages, stamp)
    await announce_sanctions(connection, settled.started, settled.lifted, stamp.at if stamp else None)
    return settled


async def _charged(connection: AsyncConnection, incidents: Sequence[Incident]) -> set[tuple[str | None, str]]:
    """(incident, scheme) of those that were charged before: their first commit's answer may have been lost."""
    found: set[tuple[str | None, str]] = set()
    for tenant_id in sorted({incident.tenant_id for incident in incidents}):
        ids = [incident.id for incident in incidents if incident.tenant_id == tenant_id]
        found |= {(each.incident_id, each.scheme) for each in await entries_of_incidents(connection, tenant_id, ids)}
    return found
