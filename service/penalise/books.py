"""Keeps the books: charges, reversals, adjustments and the sanctions that follow, each in one transaction.

    incident, verdict -> account locked -> entries -> sums -> sanctions

What to write is decided by the pure modules beside this one; how it is stored, by `record/ledger.py` and
`record/sanctions.py`. Every change takes the locks of its accounts first, so of two incidents at a line one comes
first and only one crosses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from service.penalise.ladder import Ladders
from service.penalise.standing import SchemeStanding
from service.record.account import Account
from service.record.database import Store
from service.record.entry import LedgerEntry
from service.record.incident import Incident
from service.record.sanction import Sanction
from service.vocabulary import Severity

Verdict = Literal["overridden", "upheld", "reduced", "overturned"]


@dataclass(frozen=True, slots=True)
class Settled:
    """What a change brought about, in the order of its happening; all of it empty when there was nothing to do."""

    entries: tuple[LedgerEntry, ...] = ()
    started: tuple[Sanction, ...] = ()
    lifted: tuple[Sanction, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands."""

    account: Account
    today: date
    schemes: tuple[SchemeStanding, ...]
    """What the shop counts."""
    exposure: tuple[SchemeStanding, ...]
    """What the marketplace would count."""
    sanctions: tuple[Sanction, ...]
    """The shop's, pending or in force now, newest first."""
    exposed_to: tuple[Sanction, ...]
    """What the marketplace would do, pending or in force now, newest first."""


class Books:
    """All that is done to the ledger. Methods that take a connection must be called inside `database.write()`."""

    def __init__(self, ladders: Ladders) -> None:
        self.ladders = ladders

    async def charge(self, connection: AsyncConnection, incidents: Sequence[Incident]) -> None:
        """Charges new incidents what is due at once. The group writer calls it in the incidents' own transaction,
        under their accounts' locks. An incident that was charged before is left alone.
        """

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
        sanctions that no longer hold are lifted.

        Call it before the incident's own row is changed in the same transaction: everybody locks accounts first, and
        incidents after them.
        """
        raise NotImplementedError

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

        Raises NotFound for a scheme that there is not.
        """
        raise NotImplementedError

    async def reverse(
        self, connection: AsyncConnection, tenant_id: str, entry_id: str, at: datetime, *, note: str, key_id: str
    ) -> Settled:
        """Takes an adjustment back. Raises NotFound; Conflict `already_reversed`, or `not_an_adjustment` for what an
        incident caused: that is taken back by reviewing the incident.
        """
        raise NotImplementedError

    async def standing(self, store: Store, account: Account, at: datetime) -> Standing:
        """Where the account stands at `at`, by the schemes that its shop picks now."""
        raise NotImplementedError
