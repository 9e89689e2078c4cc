"""What a ladder judges: an incident, or an event that is no message, reduced to what rules ask about. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from service.penalise.ladder import Edition, Rule
from service.record.incident import Incident
from service.record.outcome import Found
from service.vocabulary import SEVERITY_RANK, Category, Channel, Severity


@dataclass(frozen=True, slots=True)
class Mark:
    """One finding, as far as a ladder looks at it."""

    category: Category
    severity: Severity
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One incident or event."""

    id: str
    sent_at: datetime
    agent_id: str
    channel: Channel = "chat"
    marks: tuple[Mark, ...] = ()
    event: str = ""


def case_of(incident: Incident, severity: Severity | None = None) -> Case:
    """The incident as a case; with `severity`, as if no finding were graver than that."""
    marks = tuple(
        Mark(found["category"], found.get("severity", incident.severity), tuple(found.get("clauses", ())))
        for found in incident.findings
        if "category" in found
    )
    # An incident that was entered without findings is what its head says.
    marks = marks or tuple(Mark(category, incident.severity) for category in incident.categories)
    if severity is not None:
        marks = tuple(replace(mark, severity=_lower(mark.severity, severity)) for mark in marks)
    return Case(
        id=incident.id, sent_at=incident.sent_at, agent_id=incident.agent_id, channel=incident.channel, marks=marks
    )


def marks_of(findings: tuple[Found, ...]) -> tuple[Mark, ...]:
    """The findings of a decision."""
    return tuple(Mark(found.category, found.severity, found.clauses) for found in findings)


def rule_for(edition: Edition, case: Case) -> Rule | None:
    """The one rule by which the case costs something: only the gravest finding does, and of rules for findings
    equally grave the dearest.
    """
    if case.event:
        return next((rule for rule in edition.rules if case.event in rule.events), None)
    fitting = [(mark, rule) for mark in case.marks if (rule := _first(edition, mark, case.channel)) is not None]
    best = max(fitting, key=lambda pair: _weight(edition, *pair), default=None)
    return best and best[1]


def _first(edition: Edition, mark: Mark, channel: Channel) -> Rule | None:
    return next((rule for rule in edition.rules if _fits(rule, mark, channel)), None)


def _fits(rule: Rule, mark: Mark, channel: Channel) -> bool:
    return (
        not rule.events
        and (not rule.categories or mark.category in rule.categories)
        and (not rule.severities or mark.severity in rule.severities)
        and (not rule.channels or channel in rule.channels)
        and (not rule.clauses or not set(rule.clauses).isdisjoint(mark.clauses))
    )


def _weight(edition: Edition, mark: Mark, rule: Rule) -> tuple[int, int, int, int]:
    return SEVERITY_RANK[mark.severity], rule.points, rule.cny, edition.gravity(rule.consequence)


def _lower(one: Severity, other: Severity) -> Severity:
    return min(one, other, key=SEVERITY_RANK.__getitem__)
