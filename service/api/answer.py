"""An outcome as the client reads it: one language, and UTF-16 offsets beside the code points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from service import __version__
from service.api.language import Language, in_language
from service.record.outcome import Excused, Forecast, Found, Outcome, Recorded
from service.text.span import utf16_offset
from service.vocabulary import Action, Category, Severity


class FindingOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was found, where, and which rule it breaks. Offsets are half-open, in `text` as sent."""

    category: Category
    severity: Severity
    action: Action
    detector: str
    field: str
    start: int
    end: int
    utf16_start: int
    utf16_end: int
    text: str
    term: str | None
    term_id: str | None
    lexicon: str | None
    disguises: tuple[str, ...]
    clauses: tuple[str, ...]
    reason: str
    message_ids: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            description="Only where the words are split over several messages: the ids of these in order, this one's last "
            "(a request's id where the client gave none). The span is the part in this message."
        ),
    ] = ()


class DismissedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at and let pass, and why."""

    category: Category
    detector: str
    term_id: str | None
    start: int
    end: int
    text: str
    check: str
    because: str


class ForecastOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the message would cost in one scheme."""

    scheme: str
    points: int
    money: float
    """CNY."""
    points_after: int
    """In this month or year, by the scheme's rule."""
    score_after: int | None
    """What is left of the full score; null where points are only added up."""
    brings: tuple[str, ...]
    """What it would bring about at once."""
    next: str
    """What comes after it, as `at 5: spoken warning`; empty when nothing does."""


class Penalty(msgspec.Struct, frozen=True):
    """What an upheld incident would cost."""

    forecast: tuple[ForecastOut, ...] = ()
    """By the shop's own schemes."""
    exposure: tuple[ForecastOut, ...] = ()
    """What the marketplace would do."""


class Versions(msgspec.Struct, frozen=True):
    """What decided: the same three decide the same message the same way."""

    lexicon: str
    policy: str
    engine: str = __version__


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The decision on one message."""

    request_id: str
    decision: Action
    findings: tuple[FindingOut, ...]
    dismissed: tuple[DismissedOut, ...]
    masked_text: str
    agent_message: str
    suggestion: str
    incident_id: str | None
    recorded: Recorded
    penalty: Penalty
    versions: Versions
    degraded: tuple[str, ...]
    replayed: bool
    latency_ms: float


NO_PENALTY = Penalty()


def answer_of(outcome: Outcome, text: str, language: Language) -> Answer:
    """The answer about `text`, which the outcome's spans lie in."""
    return Answer(
        request_id=outcome.request_id,
        decision=outcome.decision,
        findings=findings_out(outcome.findings, text, language) if outcome.findings else (),
        dismissed=tuple([_dismissed(row) for row in outcome.dismissed]) if outcome.dismissed else (),
        masked_text=outcome.masked_text,
        agent_message=in_language(outcome.agent_message, language),
        suggestion=in_language(outcome.suggestion, language),
        incident_id=outcome.incident_id,
        recorded=outcome.recorded,
        penalty=_penalty(outcome, language),
        versions=Versions(outcome.lexicon_version, outcome.policy_version),
        degraded=outcome.degraded,
        replayed=outcome.replayed,
        latency_ms=outcome.latency_ms,
    )


def findings_out(findings: tuple[Found, ...], text: str, language: Language) -> tuple[FindingOut, ...]:
    """Findings in `text`, which may be the stored one: spans and lengths are the same there."""
    # Without a character beyond the basic plane the two ways of counting agree.
    astral = bool(text) and max(text) > "\uffff"

    def offset(row: Found) -> Callable[[int], int]:
        return (lambda index: utf16_offset(text, index)) if astral and row.field == "text" else int

    return tuple([_finding(row, offset(row), language) for row in findings])


def _finding(row: Found, utf16: Callable[[int], int], language: Language) -> FindingOut:
    return FindingOut(
        category=row.category,
        severity=row.severity,
        action=row.action,
        detector=row.detector,
        field=row.field,
        start=row.start,
        end=row.end,
        utf16_start=utf16(row.start),
        utf16_end=utf16(row.end),
        text=row.text,
        term=row.term,
        term_id=row.term_id,
        lexicon=row.lexicon,
        disguises=row.disguises,
        clauses=row.clauses,
        reason=in_language(row.reason, language),
        message_ids=row.message_ids,
    )


def _penalty(outcome: Outcome, language: Language) -> Penalty:
    if not outcome.forecast and not outcome.exposure:
        return NO_PENALTY
    return Penalty(
        tuple([_forecast(row, language) for row in outcome.forecast]),
        tuple([_forecast(row, language) for row in outcome.exposure]),
    )


def _forecast(row: Forecast, language: Language) -> ForecastOut:
    return ForecastOut(
        scheme=row.scheme,
        points=row.points,
        money=row.money / 100,
        points_after=row.points_after,
        score_after=row.score_after,
        brings=tuple([in_language(each, language) for each in row.brings]),
        next=in_language(row.next, language),
    )


def _dismissed(row: Excused) -> DismissedOut:
    return DismissedOut(
        category=row.category,
        detector=row.detector,
        term_id=row.term_id,
        start=row.start,
        end=row.end,
        text=row.text,
        check=row.check,
        because=row.because,
    )
