"""What the shops of this process's requests have registered, and which day it is there."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from service.api.remembered import STALE_SECONDS, Remembered
from service.errors import NotFound, Unavailable
from service.record.database import Database
from service.record.shops import Shop, get_shop
from service.record.withhold import storable
from service.text.message import NO_ASSETS, Assets

SHOP_SECONDS = 1.0
# China has had one offset and no summer time since 1991: no need to ask a database of zones.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
REMEMBERED = "shop_assets: store not reachable, as known before"
NOT_READ = "shop_assets: store not reachable"


class Shops:
    """Shops by tenant and id, remembered for `SHOP_SECONDS`."""

    def __init__(self, database: Database, stale: float = STALE_SECONDS) -> None:
        """`stale`: seconds for which a shop is good while the store is out."""

        async def read(key: tuple[str, str]) -> Shop | None:
            try:
                return await get_shop(database, key[0], storable(key[1]))
            except NotFound:
                return None

        self._remembered = Remembered(read, SHOP_SECONDS, stale=stale)

    async def find(
        self, tenant_id: str, shop_id: str | None, patience: float | None = None
    ) -> tuple[Shop | None, tuple[str, ...]]:
        """The shop if it was put, and what the answer must name as degraded: the store may be out.

        `patience`: seconds to wait for the store; a shop that was read before is then taken as it was.
        """
        if shop_id is None:
            return None, ()
        try:
            if patience is None:
                found = await self._remembered.get((tenant_id, shop_id))
            else:
                async with asyncio.timeout(patience):
                    found = await self._remembered.get((tenant_id, shop_id), patience / 2)
        except (Unavailable, TimeoutError):
            return None, (NOT_READ,)
        return found, (REMEMBERED,) if self._remembered.lost else ()

    async def follow(self, tenant_id: str) -> None:
        """After news of the tenant: its shops are read anew."""
        self.forget(tenant_id)

    def forget(self, tenant_id: str) -> None:
        """After a change here."""
        self._remembered.forget(lambda key: key[0] == tenant_id)


def assets_of(shop: Shop | None) -> Assets:
    return shop.assets if shop else NO_ASSETS


def local_time(shop: Shop | None, moment: datetime) -> datetime:
    """`moment` as the shop's clock and calendar show it; Asia/Shanghai unless it says otherwise."""
    zone = SHANGHAI if shop is None or shop.timezone == "Asia/Shanghai" else ZoneInfo(shop.timezone)
    return moment.astimezone(zone)
