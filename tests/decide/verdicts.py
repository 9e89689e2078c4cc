"""Made-up verdicts for tests."""

from __future__ import annotations

from service.decide.decision import Verdict
from service.match.candidate import Candidate, ViewName
from service.text.span import Span
from service.verify.finding import Finding
from service.vocabulary import Action, Category, Severity


def verdict(
    start: int,
    end: int,
    *,
    action: Action = "block",
    severity: Severity = "high",
    category: Category = "contact",
    view: ViewName = "squeezed",
    value: str = "x",
    field: str = "text",
    more: tuple[Span, ...] = (),
) -> Verdict:
    """A verdict about `text[start:end]`."""
    span = Span(start, end)
    candidate = Candidate("phones", category, severity, span, (span,), view, value, field=field, more=more)
    return Verdict(Finding(candidate, severity, "form"), action, ())
