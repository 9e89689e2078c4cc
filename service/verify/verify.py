"""The verifying half of the engine: each candidate is confirmed or dismissed, and says why.

The checks in their order, cheapest first: excuses, the detector's own check, word boundaries, ordinary words that only
sound like the term, and the context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from service.lexicon.policy import PlatformRules
from service.lexicon.snapshot import Snapshot
from service.match.candidate import Candidate
from service.match.propose import Excuse, Proposals
from service.text.message import Message
from service.text.span import Span
from service.verify import checks
from service.verify.boundaries import Cuts, crossing_word
from service.verify.contexts import ContextRule, compile_contexts
from service.verify.finding import Dismissal, Finding
from service.verify.outcome import Case, Check, Confirmed, Dismissed, Outcome
from service.verify.surroundings import Surroundings, contains_any, look_around
from service.verify.words import Words

LOOSE = {"homophone"}
"""Views whose hits may be ordinary words that only sound alike."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """Compiled checks."""

    words: Words = field(repr=False)
    contexts: Sequence[ContextRule]
    checks: Mapping[str, Check]
    sound_support: Mapping[str, tuple[str, ...]]
    """Category -> words whose presence makes an ordinary word of the same sound suspicious."""

    def verify(
        self, proposals: Proposals, message: Message, rules: PlatformRules
    ) -> tuple[list[Finding], list[Dismissal]]:
        """Every candidate becomes one finding or one dismissal."""
        findings: list[Finding] = []
        dismissals: list[Dismissal] = []
        cuts: Cuts = {}
        for candidate in proposals.candidates:
            if candidate.field == "text":
                around = look_around(candidate, proposals.views)
            else:
                around = Surroundings(candidate.value, "", "")
            case = Case(candidate, around, message, rules)
            outcome = self._outcome(case, proposals, cuts)
            if isinstance(outcome, Dismissed):
                dismissals.append(Dismissal(candidate, outcome.check, outcome.because))
            else:
                findings.append(self._weighed(candidate, outcome, around))
        return findings, dismissals

    def _outcome(self, case: Case, proposals: Proposals, cuts: Cuts) -> Outcome:
        candidate = case.candidate
        excuse = excused_by(candidate, proposals) if candidate.field == "text" else None
        if excuse is not None:
            return Dismissed("exception", f"inside {excuse.phrase}")
        if candidate.detector in self.checks:
            outcome = self.checks[candidate.detector](case)
        else:
            outcome = self._check_words(case, proposals.views.folded.text, cuts)
        if isinstance(outcome, Confirmed):
            for rule in self.contexts:
                if rule.context.effect == "dismiss" and rule.applies(candidate, case.around):
                    return Dismissed("context", rule.context.id)
        return outcome

    def _check_words(self, case: Case, text: str, cuts: Cuts) -> Outcome:
        candidate, term = case.candidate, case.candidate.term
        if term is None or (term.match == "substring" and candidate.view not in LOOSE):
            return Confirmed("form")
        for part in candidate.parts:
            word = crossing_word(text, part, self.words, cuts, loose=len(candidate.parts) > 1)
            if word:
                return Dismissed("word_boundary", f"{text[part.start : part.end]} is a piece of {word}")
        if candidate.view in LOOSE:
            ordinary = next((w for w in surfaces(text, candidate.parts) if self.words.is_ordinary(w)), "")
            if ordinary and ordinary not in candidate.value:
                support = contains_any(
                    case.around.before[-6:] + case.around.after[:6],
                    self.sound_support.get(candidate.category, ()),
                )
                if not support:
                    return Dismissed(
                        "ordinary_word", f"{ordinary} is a word of its own, and nothing near says otherwise"
                    )
                return Confirmed(f"sounds like {candidate.value}, with {support} nearby")
        return Confirmed("word boundaries")

    def _weighed(self, candidate: Candidate, outcome: Confirmed, around: Surroundings) -> Finding:
        """The finding, with the severity that check and context leave it."""
        severity, by = outcome.severity or candidate.severity, outcome.by
        for rule in self.contexts:
            if rule.context.effect == "lower" and rule.applies(candidate, around):
                return Finding(candidate, "low", f"{by}; lowered by context {rule.context.id}")
        return Finding(candidate, severity, by)


def surfaces(text: str, parts: Sequence[Span]) -> list[str]:
    return [text[part.start : part.end] for part in parts]


def excused_by(candidate: Candidate, proposals: Proposals) -> Excuse | None:
    """The excuse that holds the whole candidate, if one does."""
    whole = Span(candidate.parts[0].start, candidate.parts[-1].end)
    for excuse, place in proposals.excuses:
        if not place.contains(whole):
            continue
        if excuse.term is not None and (
            candidate.term is None or excuse.phrase not in candidate.term.except_
        ):
            continue
        if not excuse.categories or candidate.category in excuse.categories:
            return excuse
    return None


def compile_verifier(snapshot: Snapshot, cache: Path | None) -> Verifier:
    """Compile the checks; `cache` is the folder for the segmenter's dictionary."""
    own = {part for term in snapshot.terms for part in term.pattern.split() if len(part) > 1}
    found: dict[str, Any] = {}
    for info in iter_modules(checks.__path__):
        module = import_module(f"{checks.__name__}.{info.name}")
        found[info.name] = module.compile_check(snapshot.detectors[info.name])
    return Verifier(
        words=Words(own, cache),
        contexts=compile_contexts(snapshot.contexts),
        checks=found,
        sound_support={category: tuple(row) for category, row in snapshot.sound_support.items()},
    )
