"""What a charge amounts to, first when it is made and again when another one was taken back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from service.penalise.ladder import Edition, Rule
from service.penalise.window import window_of
from service.record.entry import LedgerEntry

FEN = 100
"""A CNY."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Points, and money in fen."""

    points: int
    money: int


@dataclass(frozen=True, slots=True)
class Live:
    """An incident that counts now, with what it costs now."""

    charge: LedgerEntry
    """The first entry about it, whose place in the order it keeps."""
    rule: str
    """By which it counts now."""
    cost: Cost


def cost_of(rule: Rule, nth: int) -> Cost:
    """What the `nth` incident by this rule in its window adds: with steps, what all of them cost more than before."""
    return Cost(
        _in_all(rule.points, [(step.nth, step.points) for step in rule.steps], nth)
        - _in_all(rule.points, [(step.nth, step.points) for step in rule.steps], nth - 1),
        FEN
        * (
            _in_all(rule.cny, [(step.nth, step.cny) for step in rule.steps], nth)
            - _in_all(rule.cny, [(step.nth, step.cny) for step in rule.steps], nth - 1)
        ),
    )


def _in_all(each: int, steps: Iterable[tuple[int, int]], count: int) -> int:
    """What `count` incidents cost together: `each`, or more from the last step on that they have reached."""
    reached = [total + (count - nth) * each for nth, total in steps if nth <= count]
    return max([count * each, *reached[-1:]])


def live_charges(entries: Iterable[LedgerEntry]) -> list[Live]:
    """The incidents of one scheme and account that count after all of `entries`, in the order of their charges."""
    by_incident: dict[str, list[LedgerEntry]] = {}
    for entry in sorted(entries, key=lambda each: each.seq):
        if entry.incident_id is not None:
            by_incident.setdefault(entry.incident_id, []).append(entry)
    found = []
    for own in by_incident.values():
        rule = rule_now(own)
        if rule is not None:
            cost = Cost(sum(each.points for each in own), sum(each.money for each in own))
            found.append(Live(own[0], rule, cost))
    return found


def rule_now(own: Iterable[LedgerEntry]) -> str | None:
    """By which rule an incident counts after its `own` entries; None when it does not count."""
    counts: dict[str, int] = {}
    for entry in own:
        counts[entry.rule] = counts.get(entry.rule, 0) + entry.incidents
    return next((rule for rule, count in counts.items() if count > 0), None)


def recounts(edition: Edition, rule: Rule, live: Sequence[Live]) -> list[tuple[Live, Cost]]:
    """Which of the `live` charges by a rule with steps cost more or less than they should, and by how much."""
    if not rule.steps:
        return []
    own = [each for each in live if each.rule == rule.id and each.charge.edition == edition.id]
    found = []
    for index, each in enumerate(own):
        due = cost_of(rule, nth_of(edition, each.charge.day, [earlier.charge.day for earlier in own[:index]]))
        difference = Cost(due.points - each.cost.points, due.money - each.cost.money)
        if difference != Cost(0, 0):
            found.append((each, difference))
    return found


def nth_of(edition: Edition, day: date, earlier: Iterable[date]) -> int:
    """Which of its window an incident of `day` is, after those of the days `earlier`."""
    window = window_of(edition, day)
    return 1 + sum(window.first <= each <= window.last for each in earlier)
