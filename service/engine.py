"""The engine: compiled from one snapshot, frozen, replaced by reference. A Message in, a Decision out.

Pure and synchronous: no I/O, no clock, no environment. A clean message costs some tens of microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.decide.decide import decide
from service.decide.decision import Decision
from service.lexicon.policy import CategoryWords, PlatformRules
from service.lexicon.snapshot import Snapshot
from service.match.pictures import name_blind_spots
from service.match.propose import Proposer, compile_proposer
from service.text.message import Message
from service.verify.seams import find_over_seam
from service.verify.verify import Verifier, compile_verifier
from service.vocabulary import Category, Platform


@dataclass(frozen=True, slots=True)
class Engine:
    """All that one snapshot knows, ready to use."""

    lexicon_version: str
    proposer: Proposer
    verifier: Verifier
    platforms: Mapping[Platform, PlatformRules]
    categories: Mapping[Category, CategoryWords]

    @classmethod
    def compile(cls, snapshot: Snapshot, cache: Path | None = None) -> Engine:
        """Compile `snapshot`; `cache` is a private folder for the segmenter's dictionary, so that the next start is quicker.

        Raises DataError for data that cannot be compiled.
        """
        return cls(
            lexicon_version=snapshot.version,
            proposer=compile_proposer(snapshot),
            verifier=compile_verifier(snapshot, cache),
            platforms=snapshot.platforms,
            categories=snapshot.categories,
        )

    def decide(self, message: Message) -> Decision:
        """The whole road of one message: views, candidates, findings, decision."""
        rules = self.platforms[message.platform]
        proposals = self.proposer.propose(message, rules)
        findings, dismissals = self.verifier.verify(proposals, message, rules)
        if message.earlier:
            ordinary = [each.candidate for each in findings] + [each.candidate for each in dismissals]
            more, let_pass = find_over_seam(message, rules, self.proposer, self.verifier, ordinary)
            findings, dismissals = findings + more, dismissals + let_pass
        degraded = name_blind_spots(message.images) if message.images else ()
        return decide(
            message,
            findings,
            dismissals,
            rules,
            self.categories,
            degraded=degraded,
            lexicon_version=self.lexicon_version,
        )
