"""A tenant's compiled words as sections of a file, and a Proposer that reads them there.

In: an Overlay. Out: sections; and of those, over the same shipped Proposer, one that finds what `layer_proposer`'s would.
A term is decoded when something of it was found, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec

from service.compact.rows import Each, pack_rows, read_rows
from service.compact.scan import Scan, pack_scan
from service.compact.sections import Sections
from service.lexicon.overlay import Overlay
from service.lexicon.term import Localized, Term
from service.match.excuses import Excuse, ExcuseFinder, collect_excuses, group_excuses
from service.match.keys import Keys, Uses, collect_keys
from service.match.layers import Joined, LayeredExcuses, LayeredFinder, with_reason
from service.match.propose import Proposer, spellings
from service.match.terms import Matcher
from service.normalise.views import fold
from service.vocabulary import Category

T = TypeVar("T")
Words = tuple[str, ...]
_ENCODE = msgspec.msgpack.Encoder().encode
_DEFAULTS = tuple(field.default for field in msgspec.structs.fields(Term))


class Hidden(msgspec.Struct, frozen=True):
    """What of the shipped lexicon does not count."""

    numbers: frozenset[int]
    terms: frozenset[str]
    phrases: frozenset[str]


class Origins(Mapping[int, str]):
    """The lexicon of each term from `first` on."""

    def __init__(self, first: int, names: Sequence[str], numbers: memoryview) -> None:
        self._first = first
        self._names = names
        self._numbers = numbers

    def __getitem__(self, number: int) -> str:
        if not 0 <= number - self._first < len(self._numbers):
            raise KeyError(number)
        return self._names[self._numbers[number - self._first]]

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._first, self._first + len(self._numbers)))


class Spelled:
    """Parts (0) or companions (1) of terms, in one spelling, by the number of the term."""

    def __init__(self, first: int, rows: Each[tuple[Words, Words]], which: int) -> None:
        self._first = first
        self._rows = rows
        self._which = which

    def __getitem__(self, number: int) -> Words:
        return self._rows[number - self._first][self._which]

    def get(self, number: int) -> Words | None:
        """None where the term has none."""
        return self[number] or None


def pack_proposer(shared: Proposer, overlay: Overlay) -> dict[str, bytes]:
    """The sections of `overlay`, to be read over `shared`. Slow. Raises DataError for words that cannot be compiled."""
    first = len(shared.terms)
    terms: Joined[Term] = Joined(shared.terms, overlay.terms)
    numbers = range(first, len(terms))
    by_sound = [number for number in numbers if "homophone" in terms[number].disguises]
    spell, spell_symbols = spellings(shared.tables)
    names = sorted(set(overlay.origins))
    hidden = frozenset(number for number, term in enumerate(shared.terms) if term.id in overlay.hidden_terms)
    written = frozenset(fold(phrase, shared.tables).text for phrase in overlay.hidden_exceptions)
    excuses = group_excuses(
        collect_excuses(overlay.exceptions, overlay.terms, lambda phrase: fold(phrase, shared.tables).text), spell
    )
    return {
        "terms": pack_rows(map(encode_term, overlay.terms)),
        "names": _ENCODE(names),
        "origins": bytes(map(names.index, overlay.origins)),
        "hidden": _ENCODE(Hidden(hidden, frozenset(shared.terms[number].id for number in hidden), written)),
        **pack_matcher("plain", collect_keys(terms, numbers, spell, shared.plain.ordinary), numbers),
        **pack_matcher("sounds", collect_keys(terms, by_sound, spell_symbols, shared.homophones.ordinary), numbers),
        "excuses": pack_rows(_ENCODE((len(text), group)) for text, group in excuses.items()),
        **pack_scan("excuses", list(excuses)),
    }


def encode_term(term: Term) -> bytes:
    """Without what is at its default: a third of the bytes."""
    given = zip(Term.__struct_encode_fields__, msgspec.structs.astuple(term), _DEFAULTS, strict=True)
    return _ENCODE({name: value for name, value, default in given if value != default})


def pack_matcher(name: str, keys: Keys, numbers: Sequence[int]) -> dict[str, bytes]:
    parts: dict[int, Words] = {}
    for pattern, uses in keys.uses.items():
        parts.update((number, (pattern,)) for number in uses.whole)
        parts.update((number, keys.parts[number]) for number, _ in uses.anchored)
    return {
        f"{name}.uses": pack_rows(map(_ENCODE, keys.uses.items())),
        f"{name}.spelled": pack_rows(_ENCODE((parts.get(n, ()), keys.companions.get(n) or ())) for n in numbers),
        **pack_scan(name, list(keys.uses)),
    }


def open_proposer(shared: Proposer, sections: Sections, advice: Callable[[Category], Localized]) -> Proposer:
    """`shared` with what `pack_proposer` wrote over it; `advice` gives the reason of a term that states none."""
    first = len(shared.terms)
    decode_term = msgspec.msgpack.Decoder(Term).decode
    stored = read_rows(sections["terms"], decode_term)

    def term_of(place: int) -> Term:
        term = stored[place]
        return term if term.reason.zh_cn else with_reason(term, advice(term.category))

    terms: Joined[Term] = Joined(shared.terms, Each(len(stored), term_of))
    plain = open_matcher("plain", sections, terms, first, shared.plain.ordinary)
    sounds = open_matcher("sounds", sections, terms, first, shared.homophones.ordinary)
    hidden = msgspec.msgpack.decode(sections["hidden"], type=Hidden)
    groups = read_rows(sections["excuses"], msgspec.msgpack.Decoder(tuple[int, list[Excuse]]).decode)
    return replace(
        shared,
        terms=terms,
        spelled=Joined(shared.spelled, Each(len(stored), lambda place: plain.keys.parts[first + place])),
        origins=Origins(first, msgspec.msgpack.decode(sections["names"], type=list[str]), sections["origins"]),
        plain=LayeredFinder(shared.plain, plain, hidden.numbers),
        homophones=LayeredFinder(shared.homophones, sounds, hidden.numbers),
        excuses=LayeredExcuses(
            shared.excuses, ExcuseFinder(groups, Scan("excuses", sections)), hidden.terms, hidden.phrases
        ),
    )


def open_matcher(name: str, sections: Sections, terms: Sequence[Term], first: int, ordinary: str) -> Matcher:
    rows = read_rows(sections[f"{name}.spelled"], msgspec.msgpack.Decoder(tuple[Words, Words]).decode)
    uses = read_rows(sections[f"{name}.uses"], msgspec.msgpack.Decoder(tuple[str, Uses]).decode)
    return Matcher(
        terms, Keys({}, Spelled(first, rows, 0), Spelled(first, rows, 1)), ordinary, uses, Scan(name, sections)
    )
