"""The matching half of the engine: a text's views in, all candidates and excuses out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from service.lexicon.policy import PlatformRules
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import Localized, Term
from service.lexicon.vocabulary import Category
from service.match.candidate import Candidate, ViewName
from service.match.detector import Detector, Reading, compile_detectors
from service.match.disguise import name_disguises
from service.match.pattern import Pattern, compile_pattern, show_noise
from service.match.pictures import PictureWords, compile_pictures, propose_pictures
from service.match.terms import Hit, Matcher, compile_matcher
from service.normalise.aligned import AlignedText
from service.normalise.tables import Tables
from service.normalise.views import (
    Views,
    fold,
    make_views,
    read_homophones,
    read_lookalikes,
    read_repeats,
    read_splits,
    squeeze,
)
from service.text.message import Message
from service.text.span import Span

SENTENCE_END = re.compile("[。！？!?\n]")
CLAUSE_END = re.compile("[，,、；;。！？!?\n]")
FORM = re.compile(r"[0-9a-z@]|(?:[零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖两幺弌弍弎]\W{0,3}){7}")
"""Without one of these no number, link or account can be there; asked first because most messages have none."""


SHORT = 3
"""Patterns below this many characters are found across no punctuation that ends a clause."""


@dataclass(frozen=True, slots=True)
class Excuse:
    """A phrase that excuses hits inside it."""

    phrase: str
    reason: Localized
    categories: frozenset[Category]
    """Empty: all."""
    term: int | None
    """Only hits of this term; None: all."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """All that may be wrong with one text, and what may excuse it."""

    views: Views
    candidates: tuple[Candidate, ...]
    excuses: tuple[tuple[Excuse, Span], ...]
    """With their places in the folded text."""


@dataclass(frozen=True, slots=True)
class Proposer:
    """Compiled matchers and detectors."""

    terms: Sequence[Term]
    tables: Tables
    plain: Matcher
    homophones: Matcher
    excuses: Sequence[Excuse]
    detectors: Sequence[Detector]
    pictures: PictureWords
    trigger: Pattern = field(repr=False)
    """All the detectors' triggers: most texts have nothing for any of them."""

    def propose(self, message: Message, rules: PlatformRules) -> Proposals:
        """Candidates of all kinds, those of terms that are not in force on the message's platform and day left out."""
        text = message.text
        views = make_views(text, self.tables)
        candidates: list[Candidate] = []
        candidates += self._from_hits(self.plain.find(views.squeezed), views, views.squeezed, "squeezed")
        for name, view in self._loose_views(views):
            matcher = self.homophones if name == "homophone" else self.plain
            candidates += self._from_hits(matcher.find(view), views, view, name)
        candidates = [c for c in candidates if c.term is None or in_force(c.term, message)]
        candidates += self._from_detectors(text, views)
        if message.images:
            fail_action = rules.policy_on(message.day).fail_action("qr_code")
            candidates += propose_pictures(message.images, fail_action, self.pictures)
        # A hit by sound or of a detector can be excused as well as a plain one.
        excuses = self.plain.find_excuses(views.squeezed) if candidates else ()
        return Proposals(views, tuple(candidates), tuple(self._placed(excuses, views)))

    def _loose_views(self, views: Views) -> Iterator[tuple[ViewName, AlignedText]]:
        """The readings that this text needs."""
        squeezed = views.squeezed
        yield "homophone", read_homophones(squeezed, self.tables)
        lookalike = read_lookalikes(squeezed, self.tables)
        if lookalike is not None:
            yield "lookalike", lookalike
        split = read_splits(squeezed, self.tables)
        if split is not None:
            yield "split", split
        repeated = read_repeats(squeezed)
        if repeated is not None:
            yield "repeated", repeated

    def _from_hits(self, hits: Sequence[Hit], views: Views, view: AlignedText, name: ViewName) -> Iterator[Candidate]:
        """Candidates for `hits`, without those that a stricter view already shows."""
        folded = views.folded
        for hit in hits:
            term = self.terms[hit.term]
            parts = tuple(view.span(part.start, part.end) for part in hit.parts)
            place = Span(parts[0].start, parts[-1].end)
            surface = folded.text[place.start : place.end]
            if name != "squeezed" and not self._disguised(term, parts, views, name):
                continue
            if ends_between(surface, term, parts):
                continue
            span = folded.span(*place)
            yield Candidate(
                detector="terms",
                category=term.category,
                severity=term.severity,
                span=span,
                parts=parts,
                view=name,
                value=term.pattern,
                term=term,
                disguises=name_disguises(
                    views.exact[span.start : span.end],
                    surface if len(parts) == 1 else "",
                    name,
                    self.tables.fold,
                ),
                reason=term.reason,
                suggestion=term.suggestion,
            )

    def _disguised(self, term: Term, parts: Sequence[Span], views: Views, name: ViewName) -> bool:
        """Whether a loose view's hit is one: some part differs from the term, and what differs may differ."""
        surfaces = [squeeze(AlignedText(views.folded.text[part.start : part.end])).text for part in parts]
        plain = [self.spell(part) for part in (term.pattern.split() if term.match == "phrase" else [term.pattern])]
        if surfaces == plain:
            return False
        if name in {"lookalike", "homophone", "split"} and name not in term.disguises:
            return False
        # One syllable has dozens of characters: a single character counts only as itself.
        return name != "homophone" or all(
            len(part) > 1 or part == surface for part, surface in zip(plain, surfaces, strict=True)
        )

    def spell(self, pattern: str) -> str:
        """A pattern as the squeezed view writes it."""
        return squeeze(fold(pattern, self.tables)).text

    def _from_detectors(self, text: str, views: Views) -> Iterator[Candidate]:
        if not FORM.search(views.folded.text):
            return
        noise = show_noise(views.folded.text)
        digits = noise.translate(self.tables.digits)
        if not self.trigger.search(digits):
            return
        reading = Reading(text, views.folded, noise, digits, self.tables)
        for detector in self.detectors:
            yield from detector.propose(reading)

    def _placed(self, excuses: Sequence[tuple[int, Span]], views: Views) -> Iterator[tuple[Excuse, Span]]:
        """Excuses in the folded text; only as written, without anything in between."""
        for number, place in excuses:
            span = views.squeezed.span(*place)
            excuse = self.excuses[number]
            if span.end - span.start == place.end - place.start or views.folded.text[slice(*span)] == excuse.phrase:
                yield excuse, span


def ends_between(surface: str, term: Term, parts: Sequence[Span]) -> bool:
    """Whether a sentence ends inside a hit, so that its characters only happen to follow each other.

    Two characters may also be the end of one clause and the start of the next: 先加，我这边改价.
    """
    short = len(parts) == 1 and len(term.pattern) < SHORT
    return bool((CLAUSE_END if short else SENTENCE_END).search(surface)) and (short or len(parts) > 1)


def in_force(term: Term, message: Message) -> bool:
    """Whether `term` holds on the message's platform and day."""
    if "*" not in term.platforms and message.platform not in term.platforms:
        return False
    return (term.valid_from or date.min) <= message.day <= (term.valid_until or date.max)


def compile_proposer(snapshot: Snapshot) -> Proposer:
    """Compile all that a snapshot wants to be found."""
    tables, terms = snapshot.tables, snapshot.terms

    def spell(pattern: str) -> str:
        return squeeze(fold(pattern, tables)).text

    def spell_symbols(pattern: str) -> str:
        return read_homophones(squeeze(fold(pattern, tables)), tables).text

    excuses = [
        Excuse(entry.phrase, entry.reason, frozenset(entry.categories), None) for entry in snapshot.exceptions
    ] + [
        Excuse(phrase, Localized(), frozenset(), number) for number, term in enumerate(terms) for phrase in term.except_
    ]
    by_sound = [number for number, term in enumerate(terms) if "homophone" in term.disguises]
    detectors = compile_detectors(snapshot.detectors)
    return Proposer(
        terms=terms,
        tables=tables,
        plain=compile_matcher(terms, range(len(terms)), [excuse.phrase for excuse in excuses], spell, snapshot.corpus),
        homophones=compile_matcher(terms, by_sound, [], spell_symbols, snapshot.corpus),
        excuses=excuses,
        detectors=detectors,
        pictures=compile_pictures(snapshot.detectors["pictures"]),
        trigger=compile_pattern("|".join(f"(?:{detector.trigger})" for detector in detectors)),
    )
