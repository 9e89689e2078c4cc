"""Proves a draft before it goes live: its form, its own examples, the ordinary sentences, and the cases kept for it.

Pure: a tenant's lexicons, as they would be with the draft, in; complaints and failed cases out. Takes as long as deciding
all those sentences does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from service.confirm import Confirm
from service.engine import Engine
from service.errors import DataError
from service.lexicon.overlay import Content, Layer, Overlay, flatten, lay_over
from service.lexicon.policy import PlatformRules
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import Term
from service.lint import Complaint, check_corpus, check_form, check_phrases, check_terms
from service.live import Live
from service.record.cases import Case
from service.text.message import Message
from service.vocabulary import Platform

ADVICE = frozenset({"no_example", "no_reason"})
"""Complaints that do not keep a tenant's lexicon from being published."""


Compile = Callable[[Live, Overlay], Engine]
"""Makes the engine of some words over the shipped ones. Raises DataError for words that can't be compiled."""


Tried = Callable[[Sequence[Term]], list[Complaint]]
Split = Callable[[Tried, Sequence[Term]], list[Complaint]]
"""Does some work on terms: here, or shared with others."""


def all_here(work: Tried, terms: Sequence[Term]) -> list[Complaint]:
    """The way where the terms are few."""
    return work(terms)


def compile_here(live: Live, overlay: Overlay) -> Engine:
    """The way for some thousand words at most."""
    return live.engine.over(overlay, {})


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that did not turn out as it should."""

    case: Case
    found: tuple[str, ...]
    """Ids of the terms, or names of the detectors, that found something."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What is wrong with a draft."""

    complaints: tuple[Complaint, ...]
    failures: tuple[Failure, ...]

    @property
    def blocking(self) -> tuple[Complaint, ...]:
        """The complaints that keep it from being published."""
        return tuple(each for each in self.complaints if each.rule not in ADVICE)


def prove(
    live: Live,
    others: Sequence[Layer],
    draft: Layer,
    rules: Mapping[Platform, PlatformRules],
    cases: Sequence[Case],
    today: date,
    compile_words: Compile,
    split: Split = all_here,
) -> Proof:
    """`draft` amid the tenant's `others`, judged by the shipped policies but for the cases, which `rules` judge too."""
    overlay = lay_over([*others, draft])
    try:
        engine = compile_words(live, overlay)
    except DataError as error:
        return Proof((Complaint("empty", draft.name, error.detail),), ())
    complaints = [
        *check_below(live.shipped, others, draft.content),
        *lint_own(live.shipped, overlay, draft.content, engine, split),
    ]
    judging = replace(engine, platforms={**engine.platforms, **rules})
    return Proof(tuple(complaints), tuple(try_cases(judging, cases, today)))


def check_below(shipped: Snapshot, others: Sequence[Layer], content: Content) -> Iterator[Complaint]:
    """What is switched off must be there."""
    terms = {term.id for term in shipped.terms} | {term.id for layer in others for term in layer.content.terms}
    phrases = {entry.phrase for entry in shipped.exceptions}
    phrases |= {entry.phrase for layer in others for entry in layer.content.exceptions}
    for subject in (*(each for each in content.terms_off if each not in terms),
                    *(each for each in content.exceptions_off if each not in phrases)):  # fmt: skip
        yield Complaint("nothing_to_switch_off", subject, "nothing of this name is there to be switched off")


def lint_own(
    shipped: Snapshot, overlay: Overlay, content: Content, engine: Engine, split: Split
) -> Iterator[Complaint]:
    """The rules of lint, of which only complaints about what `content` has matter."""
    ids = {term.id for term in content.terms}
    whole = flatten(shipped, overlay)
    yield from (each for each in check_form(whole) if each.subject in ids)
    mine = replace(shipped, terms=content.terms, exceptions=content.exceptions, contexts=())
    confirm = Confirm(engine)
    yield from split(lambda terms: list(check_terms(terms, engine, confirm)), content.terms)
    yield from check_phrases(mine, engine)
    yield from check_corpus(mine, engine)


def try_cases(engine: Engine, cases: Sequence[Case], today: date) -> Iterator[Failure]:
    """The cases that fail with `engine`."""
    for case in cases:
        decision = engine.decide(Message(case.text, case.platform or "generic", day=today))
        hits = [verdict.finding.candidate for verdict in decision.verdicts]
        found = tuple(dict.fromkeys(hit.term.id if hit.term else hit.detector for hit in hits))
        hit = case.term_id in found if case.term_id else bool(found)
        if hit != (case.expect == "hit"):
            yield Failure(case, found)
