"""What one check says of one candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from service.lexicon.policy import PlatformRules
from service.match.candidate import Candidate
from service.text.message import Message
from service.verify.surroundings import Surroundings
from service.vocabulary import Severity


@dataclass(frozen=True, slots=True)
class Confirmed:
    """It stands, with the reason, and with another severity where the context says so."""

    by: str
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Dismissed:
    """It does not."""

    check: str
    because: str


Outcome = Confirmed | Dismissed


@dataclass(frozen=True, slots=True)
class Case:
    """All that a check may look at."""

    candidate: Candidate
    around: Surroundings
    message: Message
    rules: PlatformRules


Check = Callable[[Case], Outcome]
Words = Mapping[str, Any]
