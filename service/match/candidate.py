"""What `match` hands to `verify`: a place that may be a violation, with all that a check needs to confirm or dismiss it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from service.lexicon.term import Localized, Term
from service.text.span import Span
from service.vocabulary import Category, Severity

ViewName = Literal["squeezed", "lookalike", "split", "repeated", "homophone", "digits", "folded", "image"]

NOTHING = Localized()
SHIPPED = "builtin"
"""The name of the lexicon that comes with the service."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposed hit."""

    detector: str
    """`terms`, or the name of the module in `match/detectors/` that proposed it."""
    category: Category
    severity: Severity
    span: Span
    """In the text as typed."""
    parts: tuple[Span, ...]
    """In the folded text: the hit, or each part of a phrase."""
    view: ViewName
    """The view in which it was seen."""
    value: str
    """What was seen there: the term's pattern, or a link, number or account in its plain form."""
    term: Term | None = None
    disguises: tuple[str, ...] = ()
    """How it was dressed up: width, separator, traditional, invisible, lookalike, homophone, …"""
    reason: Localized = NOTHING
    suggestion: Localized = NOTHING
    evidence: str = ""
    """What the detector saw that speaks for the hit: the words before an account, the card's BIN, …"""
    kind: str = ""
    """Which of the detector's kinds: `mobile`, `share_code`, …; empty where it has just one."""
    more: tuple[Span, ...] = ()
    """Other places, in the text as typed, that say the same amid the same words; what holds here holds there."""
    field: str = "text"
    """`text`, `attachments/N` where a picture's code says it, `conversation` where the number of messages does."""
    earlier: tuple[str, ...] = ()
    """Ids of the earlier messages that the hit began in, oldest first; then `span` is the part in the present one."""
    lexicon: str = SHIPPED
    """Of the term: the shipped one, or the tenant's own that has it."""
