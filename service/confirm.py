"""Whether a term is found in a sentence of its own, without all else that a decision looks for: a third of the time.

Each candidate is weighed by itself, so what others are found beside a term does not change what becomes of it.
"""

from __future__ import annotations

from service.engine import LONG, Engine
from service.lexicon.term import Term
from service.match.layers import only_own
from service.match.propose import Proposals
from service.text.message import Message

CONFIRMED_CHECKS = {"policy", "contained"}
"""Dismissals of a hit that was a hit: a graver one covers it, or the policy allows it."""


class Confirm:
    """For the terms that `engine` has over the shipped ones; for all of the shipped engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._readings = (only_own(engine.proposer, plainly=True), only_own(engine.proposer))
        """The plain reading first: it mostly shows the term."""

    def finds(self, term: Term, message: Message) -> bool:
        """Whether `term` stands up to verification in the message, whatever the policy makes of it."""
        if len(message.text) >= LONG:
            decision = self._engine.decide(message)
            candidates = [verdict.finding.candidate for verdict in decision.verdicts]
            candidates += [each.candidate for each in decision.dismissed if each.check in CONFIRMED_CHECKS]
            return any(each.term is not None and each.term.id == term.id for each in candidates)
        rules = self._engine.platforms[message.platform]
        for proposer in self._readings:
            found = proposer.propose(message, rules)
            mine = [each for each in found.candidates if each.term is not None and each.term.id == term.id]
            if mine and self._engine.verifier.verify(Proposals(found.views, mine, found.excuses), message, rules)[0]:
                return True
        return False
