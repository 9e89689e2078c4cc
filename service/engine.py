"""The engine: compiled from one snapshot, frozen, replaced by reference. A Message in, a Decision out.

Pure and synchronous: no I/O, no clock, no environment. A clean message costs some tens of microseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from service.compact.sections import Sections
from service.decide.decide import decide
from service.decide.decision import Decision
from service.lexicon.overlay import Overlay
from service.lexicon.policy import CategoryWords, PlatformRules
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import Term
from service.match.bridges import Bridges, compile_bridges, layer_bridges, open_bridges, pack_bridges
from service.match.layers import layer_proposer
from service.match.packed import open_proposer, pack_proposer
from service.match.pictures import name_blind_spots
from service.match.propose import Proposer, compile_proposer
from service.text.message import Message
from service.verify.codes import CodeReader
from service.verify.seams import find_over_seam
from service.verify.verify import Verifier, compile_verifier, layer_verifier, open_verifier, own_words
from service.vocabulary import Category, Platform

LONG = 2_000
"""Code points from which a text's beginning is judged first."""
BEGINNING = 600
PLENTY = 20
"""Findings that block, which no honest message has."""


@dataclass(frozen=True, slots=True)
class Engine:
    """All that one snapshot knows, ready to use."""

    lexicon_version: str
    proposer: Proposer
    bridges: Bridges
    verifier: Verifier
    platforms: Mapping[Platform, PlatformRules]
    categories: Mapping[Category, CategoryWords]

    @classmethod
    def compile(cls, snapshot: Snapshot, cache: Path | None = None) -> Engine:
        """Compile `snapshot`; `cache` is a private folder for the segmenter's dictionary, so that the next start is quicker.

        Raises DataError for data that cannot be compiled.
        """
        proposer = compile_proposer(snapshot)
        return cls(
            lexicon_version=snapshot.version,
            proposer=proposer,
            bridges=compile_bridges(proposer),
            verifier=compile_verifier(snapshot, cache),
            platforms=snapshot.platforms,
            categories=snapshot.categories,
        )

    def over(self, overlay: Overlay, platforms: Mapping[Platform, PlatformRules]) -> Engine:
        """This engine with a tenant's words and policies; what is compiled already is shared, not copied.

        `platforms` has the rules of those that differ. Raises DataError for words that cannot be compiled.
        """
        layered = replace(self, platforms={**self.platforms, **platforms})
        if not overlay.version:
            return layered
        proposer = layer_proposer(self.proposer, overlay, lambda category: self.categories[category].advice)
        return replace(
            layered,
            lexicon_version=f"{self.lexicon_version}+{overlay.version}",
            proposer=proposer,
            bridges=layer_bridges(self.bridges, proposer, range(len(self.proposer.terms), len(proposer.terms))),
            verifier=layer_verifier(
                self.verifier, overlay.terms, self._words_only_of(overlay.hidden_terms, overlay.terms)
            ),
        )

    def pack(self, overlay: Overlay) -> dict[str, bytes]:
        """What `over` would compile, as sections that `open` reads. Slow. Raises DataError for words that can't be compiled."""
        sections = pack_proposer(self.proposer, overlay)
        opened = open_proposer(
            self.proposer,
            {name: memoryview(data) for name, data in sections.items()},
            lambda category: self.categories[category].advice,
        )
        hidden = self._words_only_of(overlay.hidden_terms, overlay.terms)
        return {
            **sections,
            "version": overlay.version.encode(),
            **pack_bridges(opened, range(len(self.proposer.terms), len(opened.terms))),
            **layer_verifier(self.verifier, overlay.terms, hidden).words.pack(),
        }

    def open(self, sections: Sections, platforms: Mapping[Platform, PlatformRules]) -> Engine:
        """What `over` would give, read from the sections where they lie: at once, and hardly any memory of this process."""
        return replace(
            self,
            platforms={**self.platforms, **platforms},
            lexicon_version=f"{self.lexicon_version}+{bytes(sections['version']).decode()}",
            proposer=open_proposer(self.proposer, sections, lambda category: self.categories[category].advice),
            bridges=open_bridges(self.bridges, sections),
            verifier=open_verifier(self.verifier, sections),
        )

    def _words_only_of(self, hidden: Collection[str], terms: Sequence[Term]) -> set[str]:
        """The words that nothing but these shipped terms made words of ours."""
        if not hidden:
            return set()
        gone = own_words(term for term in self.proposer.terms if term.id in hidden)
        if not gone:
            return set()
        return gone - own_words(term for term in self.proposer.terms if term.id not in hidden) - own_words(terms)

    def decide(self, message: Message) -> Decision:
        """The decision on one message.

        A long text whose beginning alone is blocked for `PLENTY` reasons is not read to its end: nothing there could
        make the decision stricter, and such texts are made to keep us busy. The rest is masked, and `degraded` says so.
        """
        if len(message.text) >= LONG:
            start = beginning_of(message.text)
            decision = self._decide(msgspec.structs.replace(message, text=message.text[:start]))
            reasons = sum(verdict.action == "block" for verdict in decision.verdicts)
            if reasons >= PLENTY:
                unread = f"text: not read from character {start} on, {reasons} findings before it block already"
                return msgspec.structs.replace(
                    decision,
                    masked_text=decision.masked_text + "*" * (len(message.text) - start),
                    degraded=(*decision.degraded, unread),
                )
        return self._decide(message)

    def _decide(self, message: Message) -> Decision:
        """The whole road: views, candidates, findings, decision."""
        rules = self.platforms[message.platform]
        proposals = self.proposer.propose(message, rules)
        findings, dismissals = self.verifier.verify(proposals, message, rules)
        if message.earlier:
            ordinary = [each.candidate for each in findings] + [each.candidate for each in dismissals]
            more, let_pass = find_over_seam(message, rules, self.bridges, self.proposer, self.verifier, ordinary)
            findings, dismissals = findings + more, dismissals + let_pass
        degraded: tuple[str, ...] = ()
        if message.images:
            more, let_pass = CodeReader(message, rules, self.proposer, self.verifier).judge()
            findings, dismissals = findings + more, dismissals + let_pass
            degraded = name_blind_spots(message.images)
        return decide(
            message,
            findings,
            dismissals,
            rules,
            self.categories,
            degraded=degraded,
            lexicon_version=self.lexicon_version,
        )


def beginning_of(text: str) -> int:
    """Where the first `BEGINNING` code points end, or a little before, between two words or numbers if there is such a place."""
    near = (place for place in range(BEGINNING, BEGINNING - 100, -1) if not text[place - 1].isalnum())
    return next(near, BEGINNING)
