"""Pages, opened from the store and put back into it. Their accounts are locked by whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from service.penalise.ladder import Ladder
from service.penalise.page import Page, Stamp
from service.penalise.standing import days_needed, days_touched
from service.penalise.window import local_day, zone_of
from service.record.account import Account
from service.record.entry import LedgerEntry
from service.record.incident import Incident
from service.record.ledger import Numbers, append_entries, day_sums, entries_since
from service.record.sanction import Sanction
from service.record.sanctions import lift_fallen, sanctions_since, start_sanctions
from service.record.shops import Shop


@dataclass(frozen=True, slots=True)
class Settled:
    """What a change brought about, in the order of its happening; all of it empty when there was nothing to do."""

    entries: tuple[LedgerEntry, ...] = ()
    started: tuple[Sanction, ...] = ()
    lifted: tuple[Sanction, ...] = ()


async def pages_to_charge(
    connection: AsyncConnection,
    due: Sequence[tuple[Incident, Ladder]],
    shops: dict[tuple[str, str], Shop],
    numbers: Numbers,
) -> dict[tuple[Account, str], Page]:
    """A page for each account and scheme, with the sums that charges need, read in one go."""
    wanted: dict[tuple[Account, str], tuple[Ladder, Shop | None]] = {}
    since = first_day = date.max
    for incident, ladder in due:
        shop = shops.get((incident.tenant_id, incident.shop_id))
        day = local_day(incident.sent_at, zone_of(timezone_of(shop)))
        since = min(since, days_needed(ladder.edition_on(day), day))
        first_day = min(first_day, day)
        wanted |= {(account, ladder.scheme): (ladder, shop) for account in accounts_of(ladder, incident)}
    by_day = [ladder.scheme for ladder, _ in wanted.values() if ladder.counts_days]
    own = [(account.tenant_id, account.id) for account, _ in wanted]
    sums = await day_sums(connection, own, since.replace(day=1), by_day=by_day)
    pages = {}
    for (account, scheme), (ladder, shop) in wanted.items():
        of_scheme = sums.get((account.tenant_id, account.id, scheme), [])
        page = pages[account, scheme] = Page(ladder, account, zone_of(timezone_of(shop)), numbers, of_scheme)
        page.sanctions = await _cooling(connection, page, first_day)
    return pages


def timezone_of(shop: Shop | None) -> str:
    """The shop's, or that of a shop that was never put."""
    return shop.timezone if shop else "Asia/Shanghai"


def accounts_of(ladder: Ladder, incident: Incident) -> Iterable[Account]:
    """Whom the ladder charges for it."""
    for kind in ladder.accounts:
        agent = kind == "agent"
        yield Account(incident.tenant_id, kind, incident.shop_id, incident.agent_id if agent else "")


async def page_to_charge(
    connection: AsyncConnection, ladder: Ladder, account: Account, shop: Shop | None, numbers: Numbers, day: date
) -> Page:
    """A page with the sums that a new charge on `day` needs."""
    first = days_needed(ladder.edition_on(day), day).replace(day=1)
    by_day = [ladder.scheme] if ladder.counts_days else []
    sums = await day_sums(connection, [(account.tenant_id, account.id)], first, by_day=by_day)
    own = sums.get((account.tenant_id, account.id, ladder.scheme), [])
    page = Page(ladder, account, zone_of(timezone_of(shop)), numbers, own)
    page.sanctions = await _cooling(connection, page, day)
    return page


async def page_to_correct(
    connection: AsyncConnection, ladder: Ladder, account: Account, shop: Shop | None, numbers: Numbers, day: date
) -> Page:
    """A page with all that taking back something of `day` may touch."""
    page = await page_to_charge(connection, ladder, account, shop, numbers, day)
    own = (account.tenant_id, account.id, ladder.scheme)
    first = days_touched(ladder.edition_on(day), day)[0]
    page.entries = await entries_since(connection, *own, first)
    page.sanctions = await sanctions_since(connection, *own, _before(first, _longest_cooldown(ladder)))
    return page


async def _cooling(connection: AsyncConnection, page: Page, day: date) -> list[Sanction]:
    """The sanctions that may keep others from starting; most ladders have none such."""
    days = _longest_cooldown(page.ladder)
    if not days:
        return []
    account = page.account
    return await sanctions_since(connection, account.tenant_id, account.id, page.ladder.scheme, _before(day, days))


def _longest_cooldown(ladder: Ladder) -> int:
    return max((each.cooldown_days for edition in ladder.editions for each in edition.consequences), default=0)


def _before(day: date, days: int) -> date:
    return date.fromordinal(max(1, day.toordinal() - days))


async def store_pages(connection: AsyncConnection, pages: Iterable[Page], stamp: Stamp | None) -> Settled:
    """Stores what was added to them, in the connection's transaction. `stamp` says why sanctions were lifted."""
    pages = list(pages)
    settled = Settled(
        tuple(entry for page in pages for entry in page.added),
        tuple(sanction for page in pages for sanction in page.started),
        tuple(sanction for page in pages for sanction in page.lifted),
    )
    await append_entries(connection, settled.entries)
    await start_sanctions(connection, settled.started)
    if stamp is not None:
        await lift_fallen(connection, settled.lifted, stamp.at, stamp.note or "")
    return settled
