"""One line of the ledger. Lines are only ever added; what stands is their sum."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from service.record.account import AccountKind, Side

EntryKind = Literal["charge", "reversal", "recount", "adjustment"]
"""charge: an incident's cost, once for each scheme and account; reversal: takes back the entry that it names;
recount: a charge costs more or less because another incident, or its own severity, was corrected; adjustment: a
supervisor's, by hand."""


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line. Money is in fen (1/100 CNY)."""

    id: str
    """UUIDv7."""
    tenant_id: str
    account_id: str
    seq: int
    """1, 2, 3, … without a gap in its account: the order in which the account came to what it is."""
    account_kind: AccountKind
    shop_id: str
    agent_id: str
    """Who caused it, also on the shop's account; empty when nobody did."""
    scheme: str
    side: Side
    edition: str
    """Of the ladder that priced it."""
    rule: str
    """Of that edition; `adjustment` for what a supervisor entered."""
    kind: EntryKind
    incident_id: str | None = None
    """The incident, or the event, that it is about."""
    points: int
    money: int
    incidents: int
    """How many incidents more (1), less (-1) or as many (0) count by this rule."""
    day: date
    """In the shop's time zone: which day's, and so which month's, it is."""
    created_at: datetime
    reversal_of: str | None = None
    """Id of the entry that it takes back; each is taken back at most once."""
    corrects: str | None = None
    """For a recount: id of the charge whose cost it corrects."""
    key_id: str | None = None
    """Who decided it; None for what happened by rule."""
    note: str | None = None


class DaySum(msgspec.Struct, frozen=True):
    """The sum of the entries of one day, by one rule of a scheme."""

    rule: str
    day: date
    points: int
    money: int
    incidents: int
