"""A tenant's own lexicons, laid over the shipped one: they add, replace and switch off; the shipped one is never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from service.lexicon.snapshot import Snapshot
from service.lexicon.term import ExceptionPhrase, Term


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """All that one lexicon of a tenant holds."""

    terms: tuple[Term, ...] = ()
    """New ones; one with the id of a shipped term replaces that."""
    exceptions: tuple[ExceptionPhrase, ...] = ()
    """New ones; one with the phrase of a shipped exception replaces that."""
    terms_off: tuple[str, ...] = ()
    """Ids of terms below this lexicon that are not looked for."""
    exceptions_off: tuple[str, ...] = ()
    """Phrases of exceptions below this lexicon that excuse nothing."""

    def canonical(self) -> bytes:
        """The same bytes for the same content, in whatever order it came."""
        ordered = Content(
            terms=tuple(sorted(self.terms, key=lambda term: term.id)),
            exceptions=tuple(sorted(self.exceptions, key=lambda entry: entry.phrase)),
            terms_off=tuple(sorted(self.terms_off)),
            exceptions_off=tuple(sorted(self.exceptions_off)),
        )
        return msgspec.json.encode(ordered, order="sorted")


def version_of(canonical: bytes) -> str:
    """The first 12 hex digits of the SHA-256 of a lexicon's canonical bytes: equal content, equal version."""
    return hashlib.sha256(canonical).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Layer:
    """One lexicon of a tenant, in one version."""

    name: str
    version: str
    content: Content


@dataclass(frozen=True, slots=True)
class Overlay:
    """What all lexicons of a tenant together change; where two speak of the same thing, the one later by name counts."""

    version: str
    """`ads@9c1d…+shop-words@77aa…`, without the shipped lexicon; empty where there is nothing."""
    terms: tuple[Term, ...]
    origins: tuple[str, ...]
    """For each term the lexicon that it stands in."""
    exceptions: tuple[ExceptionPhrase, ...]
    hidden_terms: frozenset[str]
    """Ids of shipped terms that are switched off or replaced."""
    hidden_exceptions: frozenset[str]
    """Phrases of shipped exceptions that are switched off or replaced."""


def name_layers(layers: Iterable[tuple[str, str]]) -> str:
    """How a tenant's lexicons, names and versions, are called together."""
    return "+".join(f"{name}@{version}" for name, version in sorted(layers))


def lay_over(layers: Iterable[Layer]) -> Overlay:
    """Fold a tenant's lexicons into one overlay."""
    terms: dict[str, tuple[str, Term]] = {}
    exceptions: dict[str, ExceptionPhrase] = {}
    hidden_terms: set[str] = set()
    hidden_exceptions: set[str] = set()
    layers = sorted(layers, key=lambda layer: layer.name)
    for layer in layers:
        for term in layer.content.terms:
            terms[term.id] = (layer.name, term)
        for entry in layer.content.exceptions:
            exceptions[entry.phrase] = entry
        for term_id in layer.content.terms_off:
            terms.pop(term_id, None)
        for phrase in layer.content.exceptions_off:
            exceptions.pop(phrase, None)
        hidden_terms.update(layer.content.terms_off, (term.id for term in layer.content.terms))
        hidden_exceptions.update(layer.content.exceptions_off, (entry.phrase for entry in layer.content.exceptions))
    return Overlay(
        version=name_layers((layer.name, layer.version) for layer in layers),
        terms=tuple(term for _, term in terms.values()),
        origins=tuple(name for name, _ in terms.values()),
        exceptions=tuple(exceptions.values()),
        hidden_terms=frozenset(hidden_terms),
        hidden_exceptions=frozenset(hidden_exceptions),
    )


def flatten(shipped: Snapshot, overlay: Overlay) -> Snapshot:
    """The one snapshot that means the same as `overlay` over `shipped`; what an engine of it finds, the layered one must."""
    return replace(
        shipped,
        lexicon=shipped.lexicon,
        terms=(*keep_terms(shipped.terms, overlay), *overlay.terms),
        exceptions=(
            *(entry for entry in shipped.exceptions if entry.phrase not in overlay.hidden_exceptions),
            *overlay.exceptions,
        ),
    )


def keep_terms(terms: Sequence[Term], overlay: Overlay) -> list[Term]:
    """The shipped terms that still hold."""
    return [term for term in terms if term.id not in overlay.hidden_terms]
