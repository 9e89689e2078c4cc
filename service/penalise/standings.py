"""Where an account stands in every scheme, read in a few milliseconds: day sums and the sanctions of now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from service.penalise.ladder import Ladder, Ladders
from service.penalise.standing import SchemeStanding, days_needed, standing_of
from service.penalise.window import local_day, zone_of
from service.record.account import Account
from service.record.database import Store, reading
from service.record.ledger import day_sums
from service.record.sanction import Sanction
from service.record.sanctions import sanctions_now
from service.record.shops import Shop, find_shops
from service.vocabulary import Platform


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands."""

    account: Account
    today: date
    """In the shop's time zone."""
    schemes: tuple[SchemeStanding, ...]
    """What the shop counts."""
    exposure: tuple[SchemeStanding, ...]
    """What the marketplace would count."""
    sanctions: tuple[Sanction, ...]
    """The shop's, pending or in force now, newest first."""
    exposed_to: tuple[Sanction, ...]
    """What the marketplace would do, pending or in force now, newest first."""


async def read_standing(store: Store, ladders: Ladders, account: Account, at: datetime) -> Standing:
    """Where the account stands at `at`, by the schemes that its shop picks now, and by those that charged it before.

    An account to which nothing happened yet stands at the beginning of each.
    """
    async with reading(store) as connection:
        key = (account.tenant_id, account.shop_id)
        shop = (await find_shops(connection, [key])).get(key)
        today = local_day(at, zone_of(shop.timezone if shop else "Asia/Shanghai"))
        own = (account.tenant_id, account.id)
        sums = await day_sums(connection, [own], first_day(ladders.schemes.values(), today), by_day=ladders.by_day)
        by_scheme = {scheme: found for (_, _, scheme), found in sums.items()}
        sanctions = await sanctions_now(connection, account.tenant_id, account.id, at)
    standings = [
        standing_of(ladder, by_scheme.get(ladder.scheme, []), today)
        for ladder in schemes_of(ladders, shop, shop.platform if shop else None, account, by_scheme)
    ]
    return Standing(
        account,
        today,
        tuple(each for each in standings if each.side == "shop"),
        tuple(each for each in standings if each.side == "platform"),
        tuple(each for each in sanctions if each.side == "shop"),
        tuple(each for each in sanctions if each.side == "platform"),
    )


def schemes_of(
    ladders: Ladders, shop: Shop | None, platform: Platform | None, account: Account, known: Mapping[str, object]
) -> list[Ladder]:
    """The ladders that the account stands on: the shop's, its marketplace's, and those `known` from its ledger."""
    picked = ladders.of_shop(shop.ladders if shop else (), platform) if platform else ()
    names = dict.fromkeys([*(ladder.scheme for ladder in picked), *known])
    found = [ladders.schemes[name] for name in names if name in ladders.schemes]
    return [ladder for ladder in found if account.kind in ladder.accounts]


def first_day(ladders: Iterable[Ladder], today: date) -> date:
    """The first of the month from which on standings on `today` need sums."""
    return min((days_needed(ladder.edition_on(today), today) for ladder in ladders), default=today).replace(day=1)
