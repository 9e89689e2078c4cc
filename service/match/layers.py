"""A tenant's words over the shipped ones: the shipped automata are shared as they are, the tenant's own stay small.

In: a compiled Proposer and an Overlay. Out: a Proposer that finds what one compiled from both would find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, overload

import msgspec

from service.lexicon.overlay import Overlay
from service.lexicon.term import Localized, Term, parts_of
from service.match.excuses import Excuse, Finds, collect_excuses, compile_excuses
from service.match.pattern import compile_pattern
from service.match.propose import Proposer, spellings
from service.match.terms import Finder, Hit, make_matcher
from service.normalise.views import Views, fold
from service.text.span import Span
from service.vocabulary import Category

T = TypeVar("T")
NEVER = compile_pattern(r"x\by")
"""No text has the end of a word within one."""


class Joined(Sequence[T]):
    """One sequence after another, without a copy of either."""

    __slots__ = ("first", "second")

    def __init__(self, first: Sequence[T], second: Sequence[T]) -> None:
        self.first = first
        self.second = second

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        size = len(self.first)
        return self.first[index] if 0 <= index < size else self.second[index - size]


@dataclass(frozen=True, slots=True)
class LayeredFinder:
    """Shipped hits but for those of hidden terms, then the tenant's own."""

    shared: Finder
    own: Finder
    hidden: frozenset[int]

    @property
    def ordinary(self) -> str:
        """Ordinary text, in this spelling."""
        return self.shared.ordinary

    def find(self, text: str) -> Iterator[Hit]:
        """All hits in a view's `text`, in its own offsets."""
        for hit in self.shared.find(text):
            if hit.term not in self.hidden:
                yield hit
        yield from self.own.find(text)


@dataclass(frozen=True, slots=True)
class Nothing:
    """Finds nothing."""

    ordinary: str

    def find(self, text: str) -> Iterator[Hit]:
        """No hits."""
        return iter(())


@dataclass(frozen=True, slots=True)
class LayeredExcuses:
    """Shipped excuses but for those switched off and those of hidden terms, then the tenant's own."""

    shared: Finds
    own: Finds
    hidden_terms: frozenset[str]
    hidden_phrases: frozenset[str]
    """As folded."""

    def find(self, views: Views) -> Iterator[tuple[Excuse, Span]]:
        """Excuses with their places in the folded text."""
        for excuse, span in self.shared.find(views):
            if excuse.term_id not in self.hidden_terms if excuse.term_id else excuse.phrase not in self.hidden_phrases:
                yield excuse, span
        yield from self.own.find(views)


def layer_proposer(shared: Proposer, overlay: Overlay, advice: Callable[[Category], Localized]) -> Proposer:
    """`shared` with `overlay` over it; `advice` gives the reason of a term that states none.

    Raises DataError for a term or exception that cannot be compiled.
    """
    own = [term if term.reason.zh_cn else with_reason(term, advice(term.category)) for term in overlay.terms]
    first = len(shared.terms)
    terms: Joined[Term] = Joined(shared.terms, own)
    numbers = range(first, first + len(own))
    by_sound = [number for number in numbers if "homophone" in terms[number].disguises]
    hidden = frozenset(number for number, term in enumerate(shared.terms) if term.id in overlay.hidden_terms)
    # Most of the ids in the overlay are the tenant's own and hide nothing.
    hidden_terms = frozenset(shared.terms[number].id for number in hidden)
    spell, spell_symbols = spellings(shared.tables)

    def write(phrase: str) -> str:
        return fold(phrase, shared.tables).text

    excuses = collect_excuses(overlay.exceptions, own, write)
    return replace(
        shared,
        terms=terms,
        spelled=Joined(shared.spelled, [tuple(map(spell, parts_of(term))) for term in own]),
        origins=dict(zip(numbers, overlay.origins, strict=True)),
        plain=LayeredFinder(shared.plain, make_matcher(terms, numbers, spell, shared.plain.ordinary), hidden),
        homophones=LayeredFinder(
            shared.homophones, make_matcher(terms, by_sound, spell_symbols, shared.homophones.ordinary), hidden
        ),
        excuses=LayeredExcuses(
            shared.excuses,
            compile_excuses(excuses, spell),
            hidden_terms,
            frozenset(map(write, overlay.hidden_exceptions)),
        ),
    )


def only_own(proposer: Proposer, *, plainly: bool = False) -> Proposer:
    """What `layer_proposer` made, looking for nothing but the terms over the shipped ones; what excuses them stays.

    `plainly`: as they are written, not for what sounds like them. Without layers it keeps all terms.
    """
    plain, sounds = (
        each.own if isinstance(each, LayeredFinder) else each for each in (proposer.plain, proposer.homophones)
    )
    return replace(
        proposer, plain=plain, homophones=Nothing(sounds.ordinary) if plainly else sounds, detectors=(), trigger=NEVER
    )


def with_reason(term: Term, reason: Localized) -> Term:
    """`term` with the words of its category, so that no finding is without a reason."""
    return msgspec.structs.replace(term, reason=reason)
