"""What the group writer asks of the books, which stand a floor above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from service.record.incident import Incident
from service.record.ledger import Numbers


class Charging(Protocol):
    """What becomes of new incidents beyond being stored, in the same transaction."""

    @property
    def repeat_seconds(self) -> float:
        """For how long the same message tried again is the same incident; 0: never."""
        ...

    async def charge(self, connection: AsyncConnection, incidents: Sequence[Incident], numbers: Numbers) -> None:
        """Charges them, in their order. Their agents' and shops' accounts are locked; `numbers` are those accounts'."""
        ...
