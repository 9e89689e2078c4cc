"""Which consequences an entry brings about, and which should stand after entries were taken back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from service.penalise.charge import live_charges
from service.penalise.ladder import Consequence, Edition, Ladder
from service.penalise.standing import holds
from service.penalise.window import Window, end_of, local_day, window_of
from service.record.entry import DaySum, LedgerEntry
from service.record.sanction import Sanction


@dataclass(frozen=True, slots=True)
class DueSanction:
    """A consequence that should stand, and the entry that brings it about."""

    consequence: str
    occasion: str
    """`line 2026-03` for a line that was crossed, `each time` for what every such incident brings about."""
    entry_id: str
    day: date


def brought_about(
    edition: Edition, before: Sequence[DaySum], after: Sequence[DaySum], day: date, rule_id: str | None
) -> list[tuple[str, str]]:
    """(consequence, occasion) of one entry of `day` that leads from the sums `before` to those `after`.

    A line is crossed by the entry that comes to it; who is beyond it already does not cross it again. `rule_id` is that
    of a new charge; None for an adjustment.
    """
    rule = edition.rule(rule_id) if rule_id else None
    found = [(rule.consequence, "each time")] if rule and rule.consequence else []
    for threshold in edition.thresholds:
        window = window_of(edition, day)
        # A late entry may be the one that was missing in the middle of a row.
        for _ in range(threshold.in_a_row):
            if holds(edition, threshold, after, window) and not holds(edition, threshold, before, window):
                found.append((threshold.consequence, f"line {_line(window)}"))
            window = window.after()
    if edition.highest_only and found:
        return [max(found, key=lambda each: edition.gravity(each[0]))]
    return found


def due_sanctions(
    ladder: Ladder, entries: Iterable[LedgerEntry], since: date, earlier: Iterable[Sanction] = ()
) -> list[DueSanction]:
    """The sanctions that entries of `since` or later should have brought about, had what was taken back never been.

    `entries` are of one scheme and account and reach back as far as the sums on `since` do; `earlier` are sanctions from
    before, for the cool-downs.
    """
    entries = list(entries)
    taken_back = {entry.reversal_of for entry in entries if entry.reversal_of}
    by_id = {live.charge.id: live for live in live_charges(entries)}
    sums: list[DaySum] = []
    started = {(each.consequence, each.day) for each in earlier}
    found: list[DueSanction] = []
    # What was given back by hand is given back from the start: the line was then never crossed.
    for entry in sorted(entries, key=lambda each: (each.kind != "adjustment" or each.points >= 0, each.seq)):
        live = by_id.get(entry.id)
        if live is not None:
            change = DaySum(live.rule, entry.day, live.cost.points, live.cost.money, 1)
        elif entry.kind == "adjustment" and entry.id not in taken_back:
            change = DaySum(entry.rule, entry.day, entry.points, entry.money, 0)
        else:
            continue
        edition = ladder.edition_on(entry.day)
        after = add(ladder, sums, change)
        if entry.day >= since:
            for consequence, occasion in brought_about(
                edition, sums, after, entry.day, live.rule if live is not None else None
            ):
                if not is_cooling_down(edition, consequence, entry.day, started):
                    started.add((consequence, entry.day))
                    found.append(DueSanction(consequence, occasion, entry.id, entry.day))
        sums = after
    return found


def add(ladder: Ladder, sums: Sequence[DaySum], change: DaySum) -> list[DaySum]:
    """`sums` with one change. Where only whole months or years count, the days of a month are one sum, its first's."""
    day = change.day if ladder.counts_days else change.day.replace(day=1)
    same = [each for each in sums if (each.rule, each.day) == (change.rule, day)]
    rest = [each for each in sums if (each.rule, each.day) != (change.rule, day)]
    together = [*same, change]
    points, money = sum(each.points for each in together), sum(each.money for each in together)
    return [*rest, DaySum(change.rule, day, points, money, sum(each.incidents for each in together))]


def folded(ladder: Ladder, sums: Iterable[DaySum]) -> list[DaySum]:
    """`sums` as `add` keeps them."""
    found: list[DaySum] = []
    for each in sums:
        found = add(ladder, found, each)
    return found


def is_cooling_down(edition: Edition, consequence_id: str, day: date, started: Iterable[tuple[str, date]]) -> bool:
    """Whether the consequence started so short a time before `day` that it does not start again."""
    consequence = edition.consequence(consequence_id)
    days = consequence.cooldown_days if consequence else 0
    return days > 0 and any(
        name == consequence_id and timedelta(0) <= day - other < timedelta(days) for name, other in started
    )


def interval(
    edition: Edition, consequence: Consequence, at: datetime, zone: tzinfo
) -> tuple[datetime, datetime | None]:
    """When a sanction that was brought about at `at` starts and ends; None: not by itself."""
    starts = at + timedelta(hours=consequence.delay_hours)
    if consequence.lasts == "days":
        return starts, starts + timedelta(days=consequence.days)
    if consequence.lasts == "open":
        return starts, None
    return starts, end_of(window_of(edition, local_day(starts, zone)).last, zone)


def unsettled(stored: Iterable[Sanction], due: Iterable[DueSanction]) -> tuple[list[Sanction], list[DueSanction]]:
    """Stored sanctions that no longer hold, and due ones that are not there.

    Whatever a supervisor lifted stays lifted. A line that another entry crosses now is the same line crossed.
    """
    present = [each for each in stored if each.lifted_at is None or each.lifted_by is not None]
    missing: list[DueSanction] = []
    for exact in (True, False):
        missing = []
        for each in due:
            match = next((other for other in present if _same(other, each, exact)), None)
            if match is None:
                missing.append(each)
            else:
                present.remove(match)
        due = missing
    return [each for each in present if each.lifted_at is None], missing


def _same(stored: Sanction, due: DueSanction, exact: bool) -> bool:
    if (stored.consequence, stored.occasion) != (due.consequence, due.occasion):
        return False
    return stored.entry_id == due.entry_id or (not exact and due.occasion != "each time")


def _line(window: Window) -> str:
    return window.key if window.kind != "days" else "days"
