"""What the engine answers: allow, warn or block, with everything that led there."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from service.lexicon.term import Localized
from service.verify.finding import Dismissal, Finding
from service.vocabulary import Action


@dataclass(frozen=True, slots=True)
class Verdict:
    """One finding with what the platform's policy says of it."""

    finding: Finding
    action: Action
    """Never `allow`: what a policy allows stands among the dismissals."""
    clauses: tuple[str, ...]
    """The platform's own numbers, `pinduoduo 2.2`; empty where it publishes none."""


class Decision(msgspec.Struct, frozen=True):
    """The strictest action among the verdicts, and the words for the agent."""

    action: Action
    verdicts: tuple[Verdict, ...]
    """In the order of their spans; contained and duplicate findings are already collapsed."""
    dismissed: tuple[Dismissal, ...]
    masked_text: str
    """The text as typed with every verdict's span as asterisks, of the same length."""
    agent_message: Localized
    """What to show the agent; empty when allowed."""
    suggestion: Localized
    """A better wording; empty when there is none."""
    degraded: tuple[str, ...]
    """Each part that was not inspected and why."""
    lexicon_version: str
    policy_version: str
