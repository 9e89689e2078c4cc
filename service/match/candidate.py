"""What `match` hands to `verify`: a place that may be a violation, with all that a check needs to confirm or dismiss it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from service.lexicon.term import Localized, Term
from service.lexicon.vocabulary import Category, Severity
from service.text.span import Span

ViewName = Literal["exact", "folded", "squeezed", "lookalike", "homophone", "digits"]

NOTHING = Localized()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposed hit. Its span is in the text as typed."""

    detector: str
    """`terms`, or the name of the module in `match/detectors/` that proposed it."""
    category: Category
    severity: Severity
    span: Span
    view: ViewName
    """The view in which it was seen."""
    value: str
    """What was seen there: the term's pattern, or a link, number or account in its plain form."""
    term: Term | None = None
    disguises: tuple[str, ...] = ()
    """How it was dressed up: width, separator, traditional, invisible, lookalike, homophone, …"""
    reason: Localized = NOTHING
    suggestion: Localized = NOTHING
    gaps: tuple[Span, ...] = ()
    """What stands between the characters of the hit without belonging to it, in the text as typed."""
    field: str = "text"
    """`text`, or `attachments/N` where a picture's code says it."""
