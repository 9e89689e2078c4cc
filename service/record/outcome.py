"""A decision as it is answered and kept: plain rows with the words they speak of, in both languages.

Decision + text -> Outcome -> the answer, the incident, and the reply kept for retries.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from service.decide.decision import Decision, Verdict
from service.lexicon.term import Localized
from service.match.candidate import Candidate
from service.record.account import Side
from service.text.span import Span
from service.verify.finding import Dismissal
from service.vocabulary import Action, Category, Severity

Recorded = Literal["database", "journal", "none"]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A finding. Spans are in code points of the message's text."""

    category: Category
    severity: Severity
    action: Action
    detector: str
    field: str
    start: int
    end: int
    text: str
    term: str | None
    term_id: str | None
    lexicon: str | None
    disguises: tuple[str, ...]
    clauses: tuple[str, ...]
    reason: Localized
    message_ids: tuple[str, ...] = ()
    """Where it is split over several messages: their ids in order, the present one's last; the span lies in that one."""


class Excused(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that was dismissed, and why."""

    category: Category
    detector: str
    term_id: str | None
    field: str
    start: int
    end: int
    text: str
    check: str
    because: str


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What the message would cost in one scheme, were it held against the agent. Money in fen."""

    scheme: str
    side: Side
    points: int
    money: int
    points_after: int
    score_after: int | None
    """None where points are only added up."""
    brings: tuple[Localized, ...]
    """What it would bring about at once."""
    next: Localized
    """The next line after it; empty when there is none."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, and where it is recorded."""

    request_id: str
    decision: Action
    findings: tuple[Found, ...]
    dismissed: tuple[Excused, ...]
    masked_text: str
    masked: tuple[tuple[int, int], ...] = ()
    """Where `masked_text` has asterisks."""
    agent_message: Localized
    suggestion: Localized
    lexicon_version: str
    policy_version: str
    degraded: tuple[str, ...]
    latency_ms: float = 0.0
    incident_id: str | None = None
    recorded: Recorded = "none"
    replayed: bool = False
    forecast: tuple[Forecast, ...] = ()
    """By the shop's schemes."""
    exposure: tuple[Forecast, ...] = ()
    """By the marketplace's."""


def outcome_of(
    decision: Decision,
    text: str,
    request_id: str,
    *,
    explain: bool,
    degraded: tuple[str, ...] = (),
    latency_ms: float = 0.0,
    message_id: str | None = None,
) -> Outcome:
    """The rows of a decision about `text`; dismissals only when `explain` asks for them.

    `degraded` names what could not be inspected before the engine saw the message.
    """
    own_id = message_id or request_id
    return Outcome(
        request_id=request_id,
        decision=decision.action,
        findings=tuple([_found(verdict, text, own_id) for verdict in decision.verdicts]),
        dismissed=tuple([_excused(each, text) for each in decision.dismissed]) if explain else (),
        masked_text=decision.masked_text,
        masked=tuple([span for verdict in decision.verdicts for span in places(verdict.finding.candidate)]),
        agent_message=decision.agent_message,
        suggestion=decision.suggestion,
        lexicon_version=decision.lexicon_version,
        policy_version=decision.policy_version,
        degraded=degraded + decision.degraded,
        latency_ms=latency_ms,
    )


def places(hit: Candidate) -> tuple[Span, ...]:
    """Where in the message's text a hit stands; nowhere for one in a picture."""
    return (hit.span, *hit.more) if hit.field == "text" else ()


def _found(verdict: Verdict, text: str, own_id: str) -> Found:
    finding, hit = verdict.finding, verdict.finding.candidate
    return Found(
        category=hit.category,
        severity=finding.severity,
        action=verdict.action,
        detector=hit.detector,
        field=hit.field,
        start=hit.span.start,
        end=hit.span.end,
        text=_slice(hit, text),
        term=hit.term.pattern if hit.term else None,
        term_id=hit.term.id if hit.term else None,
        lexicon=hit.lexicon if hit.term else None,
        disguises=hit.disguises,
        clauses=verdict.clauses,
        reason=hit.reason,
        message_ids=(*hit.earlier, own_id) if hit.earlier else (),
    )


def _excused(dismissal: Dismissal, text: str) -> Excused:
    hit = dismissal.candidate
    return Excused(
        category=hit.category,
        detector=hit.detector,
        term_id=hit.term.id if hit.term else None,
        field=hit.field,
        start=hit.span.start,
        end=hit.span.end,
        text=_slice(hit, text),
        check=dismissal.check,
        because=dismissal.because,
    )


def _slice(hit: Candidate, text: str) -> str:
    return text[hit.span.start : hit.span.end] if hit.field == "text" else hit.value
