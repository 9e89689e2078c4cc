"""Phrases that excuse the hits inside them: 微信零钱 for 微信, 膏方 for what sounds like 高仿.

They are looked for as written, in the squeezed view only, and only where there is something to excuse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from service.errors import DataError
from service.lexicon.term import ExceptionPhrase, Localized, Term
from service.match.automaton import Automaton, Scans
from service.normalise.views import Views
from service.text.span import Span
from service.vocabulary import Category


@dataclass(frozen=True, slots=True)
class Excuse:
    """A phrase that excuses hits inside it."""

    phrase: str
    """In folded spelling."""
    reason: Localized
    categories: frozenset[Category]
    """Empty: all."""
    term_id: str
    """Only hits of this term; empty: all."""


class Finds(Protocol):
    """What finds excuses."""

    def find(self, views: Views) -> Iterator[tuple[Excuse, Span]]:
        """Excuses with their places in the folded text."""


@dataclass(frozen=True, slots=True)
class ExcuseFinder:
    """A compiled set of excuses."""

    groups: Sequence[tuple[int, Sequence[Excuse]]]
    """Per pattern its length, squeezed, and the excuses that are spelled so."""
    automaton: Scans = field(repr=False)

    def find(self, views: Views) -> Iterator[tuple[Excuse, Span]]:
        """Excuses with their places in the folded text; nothing may stand in between that the phrase does not have."""
        for last, group in self.automaton.scan(views.squeezed.text):
            length, excuses = self.groups[group]
            span = views.squeezed.span(last + 1 - length, last + 1)
            written = views.folded.text[span.start : span.end]
            for excuse in excuses:
                if len(written) == length or written == excuse.phrase:
                    yield excuse, span


def collect_excuses(
    exceptions: Iterable[ExceptionPhrase], terms: Iterable[Term], fold: Callable[[str], str]
) -> list[Excuse]:
    """All exceptions, shared ones and the terms' own. `fold` spells as the folded view does."""
    everybody = [Excuse(fold(entry.phrase), entry.reason, frozenset(entry.categories), "") for entry in exceptions]
    own = [Excuse(fold(phrase), Localized(), frozenset(), term.id) for term in terms for phrase in term.except_]
    return [*everybody, *own]


def compile_excuses(excuses: Iterable[Excuse], spell: Callable[[str], str]) -> ExcuseFinder:
    """`spell` spells as the squeezed view does. Raises DataError for a phrase that nothing is left of."""
    groups = group_excuses(excuses, spell)
    return ExcuseFinder([(len(text), group) for text, group in groups.items()], Automaton(list(groups)))


def group_excuses(excuses: Iterable[Excuse], spell: Callable[[str], str]) -> dict[str, list[Excuse]]:
    """The excuses by what they are spelled as. Raises DataError for a phrase that nothing is left of."""
    groups: dict[str, list[Excuse]] = {}
    for excuse in excuses:
        text = spell(excuse.phrase)
        if not text:
            raise DataError(f"{excuse.term_id or 'exceptions.toml'}: {excuse.phrase!r} has neither letter nor digit")
        groups.setdefault(text, []).append(excuse)
    return groups
