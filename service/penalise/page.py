"""One scheme's page of one account while it is written: what stands there, and what comes to it. Pure: no clock, no
store; whoever opened the page stores what was added.

    charge    a new incident: its cost by the sums so far, and the lines that it crosses
    correct   what is known of an incident has changed: entries until each incident costs what is due, then sanctions
    adjust    a supervisor's entry; `take_back` is the way back
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

import msgspec
from uuid_utils import uuid7

from service.penalise.case import Case, rule_for
from service.penalise.charge import Cost, cost_of, live_charges, nth_of, recounts, rule_now
from service.penalise.ladder import Edition, Ladder, Rule
from service.penalise.sanction import (
    DueSanction,
    add,
    brought_about,
    due_sanctions,
    folded,
    interval,
    is_cooling_down,
    unsettled,
)
from service.penalise.standing import days_touched, total
from service.penalise.window import local_day, window_of
from service.record.account import Account
from service.record.entry import DaySum, EntryKind, LedgerEntry
from service.record.sanction import Sanction

ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something is entered, by whom and why."""

    at: datetime
    key_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _About:
    """What an entry speaks of."""

    agent_id: str
    incident_id: str | None = None
    reversal_of: str | None = None
    corrects: str | None = None


@dataclass(slots=True)
class Page:
    """Open one for each account and scheme that a transaction changes."""

    ladder: Ladder
    account: Account
    zone: tzinfo
    numbers: dict[tuple[str, str], int]
    """Last entry numbers by tenant and account id; shared by the pages of a transaction, and counted on."""
    sums: list[DaySum] = field(default_factory=list)
    """From `days_needed` on; a charge needs them."""
    entries: list[LedgerEntry] = field(default_factory=list)
    """From `days_touched` on; whatever takes something back needs them."""
    sanctions: list[Sanction] = field(default_factory=list)
    """From the same day on."""
    added: list[LedgerEntry] = field(default_factory=list)
    started: list[Sanction] = field(default_factory=list)
    lifted: list[Sanction] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sums = folded(self.ladder, self.sums)

    def charge(self, case: Case, stamp: Stamp) -> None:
        """Enters what a new case costs; nothing where no rule fits it."""
        day = local_day(case.sent_at, self.zone)
        edition = self.ladder.edition_on(day)
        rule = rule_for(edition, case)
        if rule is None:
            return
        counted = total(self.sums, window_of(edition, day), rule.id).incidents
        before = self.sums
        cost = cost_of(rule, counted + 1)
        about = _About(case.agent_id, case.id)
        entry = self._enter("charge", edition.id, rule.id, day, cost, 1, stamp, about)
        if self._is_sanctioned():
            self._start_crossed(edition, before, entry, stamp.at)

    def correct(self, case: Case, stamp: Stamp, *, counts: bool) -> None:
        """Brings a case that was charged before to what it costs now: nothing when it no longer `counts`."""
        own = [entry for entry in self.entries if entry.incident_id == case.id]
        charge = own[0]
        edition = self.ladder.edition(charge.edition)
        target = rule_for(edition, case) if counts and edition is not None else None
        self._move(own, edition, target, stamp)
        if edition is not None:
            for rule in edition.rules:
                for live, difference in recounts(edition, rule, live_charges(self.entries)):
                    about = _About(live.charge.agent_id, live.charge.incident_id, corrects=live.charge.id)
                    self._enter("recount", edition.id, rule.id, live.charge.day, difference, 0, stamp, about)
        self._reconcile(charge.day, stamp)

    def adjust(self, day: date, cost: Cost, stamp: Stamp) -> None:
        """Enters a supervisor's points and money, of either sign."""
        edition = self.ladder.edition_on(day)
        self._enter("adjustment", edition.id, ADJUSTMENT, day, cost, 0, stamp, _About(self.account.agent_id))
        self._reconcile(day, stamp)

    def take_back(self, entry: LedgerEntry, stamp: Stamp) -> None:
        """Reverses an adjustment."""
        cost = Cost(-entry.points, -entry.money)
        about = _About(entry.agent_id, reversal_of=entry.id)
        self._enter("reversal", entry.edition, entry.rule, entry.day, cost, 0, stamp, about)
        self._reconcile(entry.day, stamp)

    def _move(self, own: list[LedgerEntry], edition: Edition | None, target: Rule | None, stamp: Stamp) -> None:
        """From the rule that the incident counts by now to `target`; None: to not counting."""
        charge, now = own[0], rule_now(own)
        if now == (target and target.id):
            return
        # Turned over again and again, each decision takes the one before it back.
        last = max((each for each in own if each.kind in ("charge", "reversal")), key=lambda each: each.seq)
        recount = now is not None and target is not None
        about = _About(
            charge.agent_id, charge.incident_id, None if recount else last.id, charge.id if recount else None
        )
        kind: EntryKind = "recount" if recount else "reversal"
        if now is not None:
            net = Cost(-sum(each.points for each in own), -sum(each.money for each in own))
            self._enter(kind, charge.edition, now, charge.day, net, -1, stamp, about)
        if target is not None and edition is not None:
            live = [each for each in live_charges(self.entries) if each.rule == target.id]
            earlier = [each.charge.day for each in live if each.charge.seq < charge.seq]
            due = cost_of(target, nth_of(edition, charge.day, earlier))
            self._enter(kind, charge.edition, target.id, charge.day, due, 1, stamp, about)

    def _enter(
        self,
        kind: EntryKind,
        edition: str,
        rule: str,
        day: date,
        cost: Cost,
        incidents: int,
        stamp: Stamp,
        about: _About,
    ) -> LedgerEntry:
        account, key = self.account, (self.account.tenant_id, self.account.id)
        self.numbers[key] += 1
        entry = LedgerEntry(
            id=str(uuid7()), tenant_id=account.tenant_id, account_id=account.id, seq=self.numbers[key],
            account_kind=account.kind, shop_id=account.shop_id, agent_id=about.agent_id, scheme=self.ladder.scheme,
            side=self.ladder.by, edition=edition, rule=rule, kind=kind, incident_id=about.incident_id, points=cost.points,
            money=cost.money, incidents=incidents, day=day, created_at=stamp.at, reversal_of=about.reversal_of,
            corrects=about.corrects, key_id=stamp.key_id, note=stamp.note,
        )  # fmt: skip
        self.added.append(entry)
        self.entries.append(entry)
        self.sums = add(self.ladder, self.sums, DaySum(rule, day, cost.points, cost.money, incidents))
        return entry

    def _is_sanctioned(self) -> bool:
        """Sanctions fall on the first kind of account that the ladder names."""
        return self.account.kind == self.ladder.accounts[0]

    def _start_crossed(self, edition: Edition, before: list[DaySum], entry: LedgerEntry, at: datetime) -> None:
        standing = [(each.consequence, each.day) for each in self.sanctions if not fell(each)]
        for consequence, occasion in brought_about(edition, before, self.sums, entry.day, entry.rule):
            if not is_cooling_down(edition, consequence, entry.day, standing):
                self._start(edition, DueSanction(consequence, occasion, entry.id, entry.day), at)

    def _reconcile(self, day: date, stamp: Stamp) -> None:
        """Lifts what no longer holds because of a change on `day`, and starts what holds now."""
        if not self._is_sanctioned():
            return
        _, since = days_touched(self.ladder.edition_on(day), day)
        earlier = [each for each in self.sanctions if each.day < since and not fell(each)]
        due = due_sanctions(self.ladder, self.entries, since, earlier)
        fallen, missing = unsettled([each for each in self.sanctions if each.day >= since], due)
        for sanction in fallen:
            lifted = msgspec.structs.replace(sanction, lifted_at=stamp.at, lift_reason=stamp.note)
            self.sanctions[self.sanctions.index(sanction)] = lifted
            self.lifted.append(lifted)
        for each in missing:
            self._start(self.ladder.edition_on(each.day), each, stamp.at)

    def _start(self, edition: Edition, due: DueSanction, at: datetime) -> None:
        consequence = edition.consequence(due.consequence)
        if consequence is None:
            return
        starts, ends = interval(edition, consequence, at, self.zone)
        same = [each for each in self.sanctions if (each.consequence, each.entry_id) == (due.consequence, due.entry_id)]
        account = self.account
        sanction = Sanction(
            id=str(uuid7()), tenant_id=account.tenant_id, account_id=account.id, account_kind=account.kind,
            shop_id=account.shop_id, agent_id=account.agent_id, scheme=self.ladder.scheme, side=self.ladder.by,
            edition=edition.id, consequence=due.consequence, occasion=due.occasion, day=due.day, number=len(same) + 1,
            entry_id=due.entry_id, created_at=at, starts_at=starts, ends_at=ends,
        )  # fmt: skip
        self.sanctions.append(sanction)
        self.started.append(sanction)


def fell(sanction: Sanction) -> bool:
    """Whether it was lifted because it no longer held; what a supervisor lifted did hold."""
    return sanction.lifted_at is not None and sanction.lifted_by is None
