"""What `verify` hands to `decide`: confirmed findings and dismissals. Each says why."""

from __future__ import annotations

from dataclasses import dataclass

from service.match.candidate import Candidate
from service.vocabulary import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """A candidate that stood up to its checks."""

    candidate: Candidate
    severity: Severity
    """The candidate's, or lower where the context speaks for the agent."""
    confirmed_by: str
    """The check that confirmed it, in words: `word boundaries`, `Luhn and BIN 622202`, …"""


@dataclass(frozen=True, slots=True)
class Dismissal:
    """A candidate that is not a violation."""

    candidate: Candidate
    check: str
    """Which check dismissed it: exception, word_boundary, ordinary_word, own_domain, checksum, context, policy, contained."""
    because: str
    """Why, with the words that decided it."""
