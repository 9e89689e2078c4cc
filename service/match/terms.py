"""Finds banned terms in a view. Proposes only: whether a hit is a word or a piece of one is `verify`'s to say.

Places are spans in the folded text, where `verify` looks at the surroundings.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from service.lexicon.term import Term
from service.match.automaton import Scan, compile_automaton
from service.match.keys import Keys, Spell, collect_keys
from service.normalise.aligned import AlignedText
from service.text.span import Span

Found = Mapping[int, Sequence[int]]
"""Key -> where it starts in the view, ascending."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A term seen in a view."""

    term: int
    parts: tuple[Span, ...]
    """In the view: one span, or one a part for a phrase."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """An automaton over one spelling of some terms."""

    terms: Sequence[Term]
    keys: Keys
    probe: Scan = field(repr=False)
    """Only what no hit can do without: whole terms and the rarest part of each phrase. Most texts have none."""
    scan: Scan = field(repr=False)

    def find(self, view: AlignedText) -> Iterator[Hit]:
        """All hits in `view`, in its own offsets."""
        if next(iter(self.probe(view.text)), None) is None:
            return
        found: dict[int, list[int]] = {}
        uses = self.keys.uses
        for last, key in self.scan(view.text):
            found.setdefault(key, []).append(last + 1 - uses[key].length)
        yield from self._hits(found)

    def _hits(self, found: Found) -> Iterator[Hit]:
        for key, starts in found.items():
            use = self.keys.uses[key]
            for number in use.whole:
                for start in starts:
                    hit = Hit(number, (Span(start, start + use.length),))
                    if self._accompanied(hit, found):
                        yield hit
            for number in use.anchors:
                if all(part in found for part in self.keys.parts[number]):
                    yield from (hit for hit in self._chains(number, found) if self._accompanied(hit, found))

    def _chains(self, number: int, found: Found) -> Iterator[Hit]:
        """Every first part from which the phrase's other parts can be reached, each within `gap` of the one before."""
        keys, gap = self.keys.parts[number], self.terms[number].gap
        steps = [(found[key], self.keys.uses[key].length) for key in keys]
        for first in steps[0][0]:
            rest = _reach(steps[1:], first + steps[0][1], gap)
            if rest is not None:
                yield Hit(number, (Span(first, first + steps[0][1]), *rest))

    def _accompanied(self, hit: Hit, found: Found) -> bool:
        """Whether all of the term's `with` words stand near enough."""
        companions = self.keys.companions.get(hit.term)
        if companions is None:
            return True
        start, end, within = hit.parts[0].start, hit.parts[-1].end, self.terms[hit.term].within
        for key in companions:
            length = self.keys.uses[key].length
            starts = found.get(key, ())
            place = bisect_left(starts, start - within - length)
            if place == len(starts) or starts[place] > end + within:
                return False
        return True


def _reach(steps: Sequence[tuple[Sequence[int], int]], end: int, gap: int) -> tuple[Span, ...] | None:
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
            return (Span(start, start + length), *rest)
    return None


def compile_matcher(terms: Sequence[Term], chosen: Sequence[int], spell: Spell, corpus: Sequence[str]) -> Matcher:
    """A matcher for the terms at the indices `chosen`, written as `spell` writes them; `corpus` is ordinary text."""
    keys = collect_keys(terms, chosen, spell, "\n".join(map(spell, corpus)))
    needed = [pattern for pattern, use in zip(keys.patterns, keys.uses, strict=True) if use.whole or use.anchors]
    return Matcher(terms, keys, compile_automaton(needed), compile_automaton(keys.patterns))
