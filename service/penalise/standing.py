"""Day sums -> where an account stands in a scheme: score, state, and what comes next. Pure; `today` is given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from service.lexicon.term import Localized
from service.penalise.ladder import Edition, Ladder, Threshold
from service.penalise.window import Window, window_of
from service.record.account import Side
from service.record.entry import DaySum

GOOD = "good"
"""The state of an account that is beyond no line."""


@dataclass(frozen=True, slots=True)
class Total:
    """A sum of entries. Money in fen."""

    points: int = 0
    money: int = 0
    incidents: int = 0


@dataclass(frozen=True, slots=True)
class Next:
    """The next line that would be crossed."""

    at: int
    """The score, or where points are added up the points, from which on it holds."""
    points_left: int
    """How many more points reach it."""
    consequence: str
    name: Localized


@dataclass(frozen=True, slots=True)
class SchemeStanding:
    """Where an account stands in one scheme, in the window that `today` lies in."""

    scheme: str
    name: Localized
    side: Side
    edition: str
    window: Window
    full: int | None
    score: int | None
    """None where points are only added up."""
    points: int
    money: int
    """Fen."""
    incidents: int
    state: str
    """Id of the gravest consequence whose line is crossed now; `good` for none."""
    state_name: Localized
    next: Next | None


def total(sums: Iterable[DaySum], window: Window, rule: str | None = None) -> Total:
    """What the days within `window` add up to, by one rule or by all."""
    points = money = incidents = 0
    for each in sums:
        if window.first <= each.day <= window.last and rule in (None, each.rule):
            points += each.points
            money += each.money
            incidents += each.incidents
    return Total(points, money, incidents)


def score_of(edition: Edition, points: int) -> int | None:
    """Between 0 and the full score; None for ladders without one."""
    return None if edition.full is None else min(max(edition.full - points, 0), edition.full)


def is_beyond(edition: Edition, threshold: Threshold, points: int) -> bool:
    """Whether `points` in a window are on the line or past it."""
    if threshold.at_least is not None:
        return points >= threshold.at_least
    score = score_of(edition, points)
    return score is not None and threshold.at_most is not None and score <= threshold.at_most


def holds(edition: Edition, threshold: Threshold, sums: Iterable[DaySum], window: Window) -> bool:
    """Whether this window, and as many before it as the threshold asks for, are beyond the line."""
    sums = tuple(sums)
    for _ in range(threshold.in_a_row):
        if not is_beyond(edition, threshold, total(sums, window).points):
            return False
        window = window.before()
    return True


def standing_of(ladder: Ladder, sums: Iterable[DaySum], today: date) -> SchemeStanding:
    """The account's standing by the edition in force on `today`. `sums` hold what `days_needed` asks for."""
    edition = ladder.edition_on(today)
    window = window_of(edition, today)
    sums = tuple(sums)
    now = total(sums, window)
    crossed = [each.consequence for each in edition.thresholds if holds(edition, each, sums, window)]
    state = max(crossed, key=edition.gravity, default=GOOD)
    consequence = edition.consequence(state)
    return SchemeStanding(
        scheme=ladder.scheme,
        name=ladder.name,
        side=ladder.by,
        edition=edition.id,
        window=window,
        full=edition.full,
        score=score_of(edition, now.points),
        points=now.points,
        money=now.money,
        incidents=now.incidents,
        state=state,
        state_name=consequence.name if consequence else Localized("良好", "good"),
        next=next_of(edition, sums, window),
    )


def next_of(edition: Edition, sums: tuple[DaySum, ...], window: Window) -> Next | None:
    """The nearest line that is not crossed yet, leaving out what also hangs on other windows and would not hold."""
    points = total(sums, window).points
    found = []
    for threshold in edition.thresholds:
        if is_beyond(edition, threshold, points) or not _others_hold(edition, threshold, sums, window):
            continue
        needed = (
            threshold.at_least if threshold.at_least is not None else (edition.full or 0) - (threshold.at_most or 0)
        )
        at = threshold.at_least if threshold.at_least is not None else threshold.at_most or 0
        consequence = edition.consequence(threshold.consequence)
        name = consequence.name if consequence else Localized()
        found.append(Next(at, needed - points, threshold.consequence, name))
    # Of lines at the same place the gravest is what would happen.
    return min(found, key=lambda each: (each.points_left, -edition.gravity(each.consequence)), default=None)


def _others_hold(edition: Edition, threshold: Threshold, sums: tuple[DaySum, ...], window: Window) -> bool:
    for _ in range(threshold.in_a_row - 1):
        window = window.before()
        if not is_beyond(edition, threshold, total(sums, window).points):
            return False
    return True


def days_needed(edition: Edition, today: date) -> date:
    """The first day whose sums a standing on `today` needs."""
    return _back(edition, window_of(edition, today)).first


def days_touched(edition: Edition, day: date) -> tuple[date, date]:
    """For a change of an entry of `day`: the first day whose entries decide anything, and the first whose sanctions
    may change.
    """
    window = window_of(edition, day)
    since = _back(edition, window)
    first = day if window == since and window.kind == "days" else since.first
    return _back(edition, since).first, first


def _back(edition: Edition, window: Window) -> Window:
    for _ in range(max((each.in_a_row for each in edition.thresholds), default=1) - 1):
        window = window.before()
    return window
