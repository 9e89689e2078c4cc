"""Finds banned terms in a view. Proposes only: whether a hit is a word or a piece of one is `verify`'s to say."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from service.lexicon.term import Term
from service.match.automaton import Automaton, Scans
from service.match.keys import Keys, Spell, Uses, collect_keys

Part = tuple[int, int]
"""Start and end in a view. Plain pairs, for a hostile text has tens of thousands."""


class Hit(NamedTuple):
    """A term seen in a view."""

    term: int
    parts: tuple[Part, ...]
    """One pair, or one a part for a phrase."""


class Finder(Protocol):
    """What finds terms in one spelling."""

    @property
    def ordinary(self) -> str:
        """Ordinary text, in that spelling."""

    def find(self, text: str) -> Iterator[Hit]:
        """All hits in a view's `text`, in its own offsets."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """An automaton over one spelling of some terms."""

    terms: Sequence[Term]
    keys: Keys
    ordinary: str = field(repr=False)
    patterns: Sequence[tuple[str, Uses]]
    """In the automaton's order."""
    automaton: Scans = field(repr=False)

    def find(self, text: str) -> Iterator[Hit]:
        """All hits in a view's `text`, in its own offsets."""
        found: dict[int, list[int]] = {}
        for last, index in self.automaton.scan(text):
            found.setdefault(index, []).append(last + 1 - len(self.patterns[index][0]))
        if not found:
            return
        places = Places(text)
        for index, starts in found.items():
            pattern, uses = self.patterns[index]
            places.known[pattern] = starts
            for number in uses.whole:
                for start in starts:
                    hit = Hit(number, ((start, start + len(pattern)),))
                    if self._accompanied(hit, places):
                        yield hit
            for number, others in uses.anchored:
                # Mostly one other part, and mostly absent: asked without a generator.
                if others[0] in text and all(part in text for part in others):
                    yield from (hit for hit in self._chains(number, places) if self._accompanied(hit, places))

    def _chains(self, number: int, places: Places) -> Iterator[Hit]:
        """Every first part from which the phrase's other parts can be reached, each within `gap` of the one before."""
        (first, *rest), gap = self.keys.parts[number], self.terms[number].gap
        steps = [(places.of(part), len(part)) for part in rest]
        for start in places.of(first):
            found = _reach(steps, start + len(first), gap)
            if found is not None:
                yield Hit(number, ((start, start + len(first)), *found))

    def _accompanied(self, hit: Hit, places: Places) -> bool:
        """Whether all of the term's `with` words stand near enough."""
        companions = self.keys.companions.get(hit.term)
        if companions is None:
            return True
        start, end, within = hit.parts[0][0], hit.parts[-1][1], self.terms[hit.term].within
        for word in companions:
            starts = places.of(word)
            place = bisect_left(starts, start - within - len(word))
            if place == len(starts) or starts[place] > end + within:
                return False
        return True


@dataclass(slots=True)
class Places:
    """Where words stand in one text; each is looked for once."""

    text: str
    known: dict[str, list[int]] = field(default_factory=dict)

    def of(self, word: str) -> list[int]:
        """The starts of `word`, ascending."""
        starts = self.known.get(word)
        if starts is None:
            starts = self.known[word] = []
            start = self.text.find(word)
            while start >= 0:
                starts.append(start)
                start = self.text.find(word, start + 1)
        return starts


def _reach(steps: Sequence[tuple[Sequence[int], int]], end: int, gap: int) -> tuple[Part, ...] | None:
    """The nearest (starts, length) of each step in turn, none more than `gap` after the end of the one before."""
    if not steps:
        return ()
    starts, length = steps[0]
    for place in range(bisect_left(starts, end), len(starts)):
        start = starts[place]
        if start > end + gap:
            break
        rest = _reach(steps[1:], start + length, gap)
        if rest is not None:
            return ((start, start + length), *rest)
    return None


def compile_matcher(terms: Sequence[Term], chosen: Sequence[int], spell: Spell, corpus: Sequence[str]) -> Matcher:
    """A matcher for the terms at the indices `chosen`, written as `spell` writes them; `corpus` is ordinary text."""
    return make_matcher(terms, chosen, spell, "\n".join(map(spell, corpus)))


def make_matcher(terms: Sequence[Term], chosen: Sequence[int], spell: Spell, ordinary: str) -> Matcher:
    """The same with ordinary text that is spelled already."""
    keys = collect_keys(terms, chosen, spell, ordinary)
    return Matcher(terms, keys, ordinary, tuple(keys.uses.items()), Automaton(tuple(keys.uses)))
