"""What the group writer asks of the books, which stand a floor above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from service.record.entry import LedgerEntry
from service.record.incident import Incident
from service.record.ledger import Numbers
from service.record.sanction import Sanction


class Charged(NamedTuple):
    """What new incidents brought about."""

    entries: Sequence[LedgerEntry] = ()
    started: Sequence[Sanction] = ()


NOTHING = Charged()


class Charging(Protocol):
    """What becomes of new incidents beyond being stored, in the same transaction."""

    @property
    def repeat_seconds(self) -> float:
        """For how long the same message tried again is the same incident; 0: never."""
        ...

    async def charge(self, connection: AsyncConnection, incidents: Sequence[Incident], numbers: Numbers) -> Charged:
        """Charges them, in their order. Their agents' and shops' accounts are locked; `numbers` are those accounts'."""
        ...
