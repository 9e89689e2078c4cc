"""The verifying half of the engine: each candidate is confirmed or dismissed, and says why.

The checks in their order, cheapest first: excuses, the detector's own check, word boundaries, ordinary words that only
sound like the term, and the context.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from service.compact.sections import Sections
from service.lexicon.policy import PlatformRules
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import Term, parts_of
from service.match.candidate import Candidate
from service.match.detector import compile_words
from service.match.excuses import Excuse
from service.match.propose import Proposals
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
LONG = 4
"""Characters of a term that hardly anything else sounds like; only these are read as if they were written plainly."""
SOUND_REACH = 6
"""Characters on either side in which a word must stand that speaks for the term."""

ENOUGH = 100
"""Findings that block, after which the rest of a message is taken as proposed: the decision can't get any stricter."""


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
        if not proposals.candidates:
            return [], []
        policy, blocking = rules.policy_on(message.day), 0
        findings: list[Finding] = []
        dismissals: list[Dismissal] = []
        weigher = Weigher(self, message, rules, proposals.views.folded.text)
        excuses = index_excuses(proposals.excuses)
        for candidate in proposals.candidates:
            excuse = excused_by(candidate, excuses)
            if excuse is not None:
                dismissals.append(Dismissal(candidate, "exception", f"inside {excuse.phrase}"))
                continue
            if blocking >= ENOUGH:
                findings.append(Finding(candidate, candidate.severity, f"not weighed: {ENOUGH} others block already"))
                continue
            outcome = weigher.weigh(candidate)
            if isinstance(outcome, Dismissed):
                dismissals.append(Dismissal(candidate, outcome.check, outcome.because))
            else:
                finding = Finding(candidate, outcome.severity or candidate.severity, outcome.by)
                findings.append(finding)
                blocking += policy.action(candidate.category, finding.severity) == "block"
        return findings, dismissals


@dataclass(slots=True)
class Weigher:
    """Weighs the candidates of one text."""

    verifier: Verifier
    message: Message
    rules: PlatformRules
    text: str
    cuts: Cuts = field(default_factory=dict)

    def weigh(self, candidate: Candidate) -> Outcome:
        """The outcome for `candidate` with its surroundings."""
        in_text = candidate.field == "text"
        around = look_around(candidate, self.text) if in_text else Surroundings(candidate.value, "", "")
        case = Case(candidate, around, self.message, self.rules)
        check = self.verifier.checks.get(case.candidate.detector)
        outcome = check(case) if check else self._check_words(case)
        if isinstance(outcome, Dismissed):
            return outcome
        for rule in self.verifier.contexts:
            if rule.applies(case.candidate, case.around):
                if rule.context.effect == "dismiss":
                    return Dismissed("context", rule.context.id)
                return Confirmed(f"{outcome.by}; lowered by context {rule.context.id}", "low")
        return outcome

    def _check_words(self, case: Case) -> Outcome:
        candidate, term, words = case.candidate, case.candidate.term, self.verifier.words
        if term is None or (term.match == "substring" and candidate.view not in LOOSE):
            return Confirmed("form")
        text, parts = self.text, candidate.parts
        spelled = len(parts) == 1 or any(text[part.start : part.end].isascii() for part in parts)
        if candidate.view in LOOSE and spelled and len(term.pattern) >= LONG:
            text, parts = write_plainly(text, parts, parts_of(term))
        for part in parts:
            word = crossing_word(text, part, words, self.cuts, loose=len(parts) > 1)
            if word:
                return Dismissed("word_boundary", f"{text[part.start : part.end]} is a piece of {word}")
        if candidate.view in LOOSE:
            return self._check_sound(case)
        return Confirmed("word boundaries")

    def _check_sound(self, case: Case) -> Outcome:
        """A word of its own that only sounds like the term needs a word nearby that speaks for the term."""
        candidate, around = case.candidate, case.around
        for part in candidate.parts:
            surface = self.text[part.start : part.end]
            if surface in candidate.value or not self.verifier.words.is_ordinary(surface):
                continue
            # In a phrase the parts that are written plainly speak for the one that is not: 加我威信.
            plain = [word for word in candidate.value.split() if len(candidate.parts) > 1 and word in around.surface]
            near = "".join((around.before[-SOUND_REACH:], *plain, around.after[:SOUND_REACH]))
            support = contains_any(near, self.verifier.sound_support.get(candidate.category, ()))
            if not support:
                return Dismissed("ordinary_word", f"{surface} is a word of its own, and nothing near says otherwise")
            return Confirmed(f"sounds like {candidate.value}, with {support} nearby")
        return Confirmed(f"sounds like {candidate.value}")


def write_plainly(text: str, parts: Sequence[Span], words: Sequence[str]) -> tuple[str, tuple[Span, ...]]:
    """`text` with `words` instead of what sounds like them at `parts`, and where they stand then.

    Wrong characters make wrong words of their neighbours: 圈网最低价 would be cut as 圈 / 网 / 最低价.
    """
    pieces: list[str] = []
    places: list[Span] = []
    done = length = 0
    for part, word in zip(parts, words, strict=True):
        pieces += [text[done : part.start], word]
        start = length + part.start - done
        length = start + len(word)
        places.append(Span(start, length))
        done = part.end
    pieces.append(text[done:])
    return "".join(pieces), tuple(places)


Excuses = dict[int, list[tuple[Excuse, Span]]]
"""Place in the folded text -> the excuses over it."""


def index_excuses(placed: Sequence[tuple[Excuse, Span]]) -> Excuses:
    excuses: Excuses = {}
    for excuse, span in placed:
        for place in range(span.start, span.end):
            excuses.setdefault(place, []).append((excuse, span))
    return excuses


def excused_by(candidate: Candidate, excuses: Excuses) -> Excuse | None:
    """The excuse that holds the whole candidate, if one does."""
    if candidate.field != "text":
        return None
    end = candidate.parts[-1].end
    for excuse, place in excuses.get(candidate.parts[0].start, ()):
        if place.end < end:
            continue
        if excuse.term_id and (candidate.term is None or excuse.term_id != candidate.term.id):
            continue
        if not excuse.categories or candidate.category in excuse.categories:
            return excuse
    return None


def own_words(terms: Iterable[Term]) -> set[str]:
    """What the segmenter must know of some terms."""
    return {part for term in terms for part in term.pattern.split() if len(part) > 1}


def layer_verifier(shared: Verifier, terms: Iterable[Term], hidden: Iterable[str]) -> Verifier:
    """The same checks with a tenant's words in the segmenter, whose dictionary stays shared, and without `hidden` ones."""
    return replace(shared, words=shared.words.over(own_words(terms), frozenset(hidden)))


def open_verifier(shared: Verifier, sections: Sections) -> Verifier:
    """The same checks with the words that `Words.pack` wrote."""
    return replace(shared, words=shared.words.open(sections))


def compile_verifier(snapshot: Snapshot, cache: Path | None) -> Verifier:
    """Compile the checks; `cache` is the folder for the segmenter's dictionary."""
    found: dict[str, Any] = {}
    for info in iter_modules(checks.__path__):
        module = import_module(f"{checks.__name__}.{info.name}")
        found[info.name] = compile_words(info.name, snapshot.detectors, module.compile_check)
    return Verifier(
        contexts=compile_contexts(snapshot.contexts, snapshot.folder),
        words=Words(own_words(snapshot.terms), cache),
        checks=found,
        sound_support={category: tuple(row) for category, row in snapshot.sound_support.items()},
    )
