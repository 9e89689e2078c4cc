"""The matching half of the engine: a text's views in, all candidates and excuses out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec

from service.lexicon.frequency import Frequency
from service.lexicon.policy import PlatformRules
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import Term, parts_of
from service.match.candidate import SHIPPED, Candidate, ViewName
from service.match.detector import Detector, Reading, compile_detectors, compile_words
from service.match.disguise import name_disguises
from service.match.excuses import Excuse, Finds, collect_excuses, compile_excuses
from service.match.frequency import propose_frequency
from service.match.harmless import Harmless
from service.match.keys import Spell
from service.match.pattern import Pattern, compile_pattern, show_noise
from service.match.pictures import PictureWords, compile_pictures, propose_pictures
from service.match.repeats import surroundings_key
from service.match.terms import Finder, Hit, compile_matcher
from service.normalise.aligned import AlignedText
from service.normalise.syllables import LATIN_RUN, spell_syllables
from service.normalise.tables import Tables
from service.normalise.views import (
    REPEATED,
    Views,
    collapse_repeats,
    fold,
    make_views,
    read_homophones,
    read_repeats,
    read_splits,
    squeeze,
)
from service.text.message import Message
from service.text.span import Span

SENTENCE_END = re.compile("[。！？!?\n]")
CLAUSE_END = re.compile("[，,、；;。！？!?\n]")
SHORT = 3
"""Patterns below this many characters are found across no punctuation that ends a clause."""
FORM = re.compile(r"[0-9a-z@+┼]|\.[中公网商рубс]|(?:[零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖两幺弌弍弎]\W{0,3}){7}")
"""Without one of these no number, link or account can be there; asked first because most messages have none."""
NEEDS_CONSENT: frozenset[ViewName] = frozenset({"lookalike", "split", "homophone"})
"""Readings that a term must list among its disguises."""


class Proposals(msgspec.Struct, frozen=True):
    """All that may be wrong with one text, and what may excuse it."""

    views: Views
    candidates: Sequence[Candidate]
    excuses: Sequence[tuple[Excuse, Span]]
    """With their places in the folded text."""


NOTHING = Proposals(Views("", AlignedText(""), ""), (), ())
"""Nobody looks at the views of a text without candidates."""


@dataclass(frozen=True, slots=True)
class Proposer:
    """Compiled matchers and detectors."""

    terms: Sequence[Term]
    spelled: Sequence[tuple[str, ...]]
    """Per term its parts, as the squeezed view writes them."""
    tables: Tables
    plain: Finder
    homophones: Finder
    excuses: Finds
    detectors: Sequence[tuple[Pattern, Detector]]
    """Each with its trigger."""
    pictures: PictureWords
    frequency: Frequency
    trigger: Pattern = field(repr=False)
    """All the detectors' triggers: most texts have nothing for any of them."""
    origins: Mapping[int, str] = field(default_factory=dict)
    """The lexicon of each term that is not a shipped one."""
    harmless: Harmless = field(default_factory=Harmless, init=False, repr=False)
    """Only a memory of results: forgetting it changes nothing but the time the next message takes."""

    def propose(self, message: Message, rules: PlatformRules) -> Proposals:
        """Candidates of all kinds, those of terms that are not in force on the message's platform and day left out."""
        beside: list[Candidate] = []
        if message.images:
            fail_action = rules.policy_on(message.day).fail_action("qr_code")
            beside += propose_pictures(message.images, fail_action, self.pictures)
        if message.pace is not None:
            beside += propose_frequency(message, message.pace, self.frequency)
        key = (message.text, message.platform, message.day)
        if key in self.harmless and not beside:
            return NOTHING
        views = make_views(message.text, self.tables)
        candidates = [*self._from_terms(message, views), *self._from_detectors(views)]
        if not candidates:
            self.harmless.add(key)
            if not beside:
                return NOTHING
        return Proposals(views, candidates + beside, list(self.excuses.find(views)))

    def _from_terms(self, message: Message, views: Views) -> Iterator[Candidate]:
        """Hits in every reading; the looser ones only where a stricter one does not show the same."""
        folded = views.folded.text
        seen: set[tuple[int, tuple[Span, ...]]] = set()
        for name, hits, make_view in self._readings(views):
            groups: dict[object, list[tuple[Hit, int, int]]] = {}
            view = make_view()
            for hit in hits:
                start, end = view.start(hit.parts[0][0]), view.end(hit.parts[-1][1])
                groups.setdefault((hit.term, *surroundings_key(folded, start, end)), []).append((hit, start, end))
            for (hit, *_), *again in groups.values():
                term = self.terms[hit.term]
                parts = tuple(view.span(*part) for part in hit.parts)
                if not in_force(term, message) or (hit.term, parts) in seen or ends_between(term, parts, folded):
                    continue
                if name == "squeezed" or self._is_disguised(hit, parts, folded, name):
                    seen.add((hit.term, parts))
                    more = tuple(views.folded.span(start, end) for _, start, end in again)
                    yield self._candidate(hit.term, parts, views, name, more)

    def _readings(self, views: Views) -> list[tuple[ViewName, list[Hit], Callable[[], AlignedText]]]:
        """The views in which something is found, the plainest first, each with its hits.

        Offsets cost more than matching, so a view is made only where it has a hit.
        """
        plain, tables = views.plain, self.tables
        readings: list[tuple[ViewName, list[Hit], Callable[[], AlignedText]]] = []
        if hits := list(self.plain.find(plain)):
            readings.append(("squeezed", hits, lambda: views.squeezed))
        if not tables.oddities.isdisjoint(plain):
            if not tables.lookalikes_typed.isdisjoint(plain):
                taken_for = plain.translate(tables.lookalikes)
                if hits := list(self.plain.find(taken_for)):
                    readings.append(("lookalike", hits, lambda: views.squeezed.retext(taken_for)))
            if tables.splits.search(plain):
                whole = read_splits(views.squeezed, tables)
                if hits := list(self.plain.find(whole.text)):
                    readings.append(("split", hits, lambda: whole))
        if REPEATED.search(plain) and (hits := list(self.plain.find(collapse_repeats(plain)))):
            readings.append(("repeated", hits, lambda: read_repeats(views.squeezed)))
        symbols = plain.translate(tables.symbols)
        if LATIN_RUN.search(symbols):
            if hits := list(self.homophones.find(spell_syllables(symbols, tables.syllables))):
                readings.append(("homophone", hits, lambda: read_homophones(views.squeezed, tables)))
        elif hits := list(self.homophones.find(symbols)):
            readings.append(("homophone", hits, lambda: views.squeezed.retext(symbols)))
        return readings

    def _is_disguised(self, hit: Hit, parts: Sequence[Span], folded: str, name: ViewName) -> bool:
        """Whether a loose view's hit is one: something differs from the term, and may differ so."""
        if name in NEEDS_CONSENT and name not in self.terms[hit.term].disguises:
            return False
        plain = self.spelled[hit.term]
        typed = tuple(squeeze(AlignedText(folded[part.start : part.end])).text for part in parts)
        if typed == plain:
            return False
        # One syllable has dozens of characters: a single character counts only as itself.
        return name != "homophone" or all(
            len(part) > 1 or part == surface for part, surface in zip(plain, typed, strict=True)
        )

    def _candidate(
        self, number: int, parts: tuple[Span, ...], views: Views, name: ViewName, more: tuple[Span, ...]
    ) -> Candidate:
        term = self.terms[number]
        span = views.folded.span(parts[0].start, parts[-1].end)
        # Between the parts of a phrase anything may stand; only what stands inside a part is a disguise.
        folded = "".join(views.folded.text[part.start : part.end] for part in parts)
        typed = "".join(views.exact[slice(*views.folded.span(part.start, part.end))] for part in parts)
        return Candidate(
            detector="terms",
            category=term.category,
            severity=term.severity,
            span=span,
            parts=parts,
            view=name,
            value=term.pattern,
            term=term,
            disguises=name_disguises(typed, folded, name, self.tables.fold),
            reason=term.reason,
            suggestion=term.suggestion,
            more=more,
            lexicon=self.origins.get(number, SHIPPED),
        )

    def _from_detectors(self, views: Views) -> Iterator[Candidate]:
        if not FORM.search(views.folded.text):
            return
        noise = show_noise(views.folded.text)
        digits = noise.translate(self.tables.digits)
        if not self.trigger.search(digits):
            return
        reading = Reading(views.exact, views.folded, noise, digits, self.tables)
        for trigger, detector in self.detectors:
            if trigger.search(digits):
                yield from detector.propose(reading)


def compile_proposer(snapshot: Snapshot) -> Proposer:
    """Compile all that a snapshot wants to be found."""
    tables, terms = snapshot.tables, snapshot.terms

    spell, spell_symbols = spellings(tables)
    by_sound = [number for number, term in enumerate(terms) if "homophone" in term.disguises]
    detectors = compile_detectors(snapshot.detectors)
    return Proposer(
        terms=terms,
        spelled=[tuple(map(spell, parts_of(term))) for term in terms],
        tables=tables,
        plain=compile_matcher(terms, range(len(terms)), spell, snapshot.corpus),
        homophones=compile_matcher(terms, by_sound, spell_symbols, snapshot.corpus),
        excuses=compile_excuses(
            collect_excuses(snapshot.exceptions, terms, lambda phrase: fold(phrase, tables).text), spell
        ),
        detectors=[(compile_pattern(detector.trigger), detector) for detector in detectors],
        pictures=compile_words("pictures", snapshot.detectors, compile_pictures),
        frequency=snapshot.frequency,
        trigger=compile_pattern("|".join(f"(?:{detector.trigger})" for detector in detectors)),
    )


def spellings(tables: Tables) -> tuple[Spell, Spell]:
    """How patterns are written for the squeezed view, and for the homophones' view."""

    def spell(pattern: str) -> str:
        return squeeze(fold(pattern, tables)).text

    def spell_symbols(pattern: str) -> str:
        return read_homophones(squeeze(fold(pattern, tables)), tables).text

    return spell, spell_symbols


def in_force(term: Term, message: Message) -> bool:
    """Whether `term` holds on the message's platform and day."""
    if "*" not in term.platforms and message.platform not in term.platforms:
        return False
    return (term.valid_from or date.min) <= message.day <= (term.valid_until or date.max)


def ends_between(term: Term, parts: Sequence[Span], folded: str) -> bool:
    """Whether a sentence ends inside a hit, so that its characters only happen to follow each other.

    Two characters may also be the end of one clause and the start of the next: 先加，我这边改价.
    """
    surface = folded[parts[0].start : parts[-1].end]
    if len(parts) > 1:
        return bool(SENTENCE_END.search(surface))
    return len(term.pattern) < SHORT and bool(CLAUSE_END.search(surface))
