"""How tests read a decision: the slices of the text as typed, and by whom they were found."""

from __future__ import annotations

from collections.abc import Sequence

from service.decide.decision import Decision
from service.engine import Engine
from service.match.candidate import Candidate
from service.text.message import Message
from service.verify.finding import Dismissal, Finding
from service.vocabulary import Category


def slices(text: str, candidates: Sequence[Candidate]) -> list[str]:
    """What the spans cut out of `text`, in order."""
    spans = sorted({span for candidate in candidates for span in (candidate.span, *candidate.more)})
    return [text[start:end] for start, end in spans]


def found(decision: Decision, category: Category | None = None) -> list[Candidate]:
    """The candidates that became verdicts, of one category or of all."""
    candidates = [verdict.finding.candidate for verdict in decision.verdicts]
    return [candidate for candidate in candidates if category in (None, candidate.category)]


def dismissed_by(decision: Decision, check: str) -> list[Candidate]:
    """The candidates that this check dismissed."""
    return [dismissal.candidate for dismissal in decision.dismissed if dismissal.check == check]


def weigh(engine: Engine, message: Message) -> tuple[list[Finding], list[Dismissal]]:
    """Findings and dismissals before any policy looks at them."""
    rules = engine.platforms[message.platform]
    return engine.verifier.verify(engine.proposer.propose(message, rules), message, rules)


def confirmed(engine: Engine, detector: str, text: str) -> list[str]:
    """What one detector finds in `text` and its check confirms, the widest where several say the same."""
    findings, _ = weigh(engine, Message(text, "generic"))
    ours = [finding.candidate for finding in findings if finding.candidate.detector == detector]
    return slices(text, [c for c in ours if not any(o.span != c.span and o.span.contains(c.span) for o in ours)])
