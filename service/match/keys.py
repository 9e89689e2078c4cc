"""What an automaton looks for so that a few thousand terms cost one pass: each whole pattern, and of each phrase one part.

A phrase cannot be in a text without its rarest part, its anchor; the other parts are looked for only where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from service.errors import DataError
from service.lexicon.term import Term, parts_of

Spell = Callable[[str], str]
"""Spells a pattern the way that a view spells texts."""


class Known(Protocol):
    """Words of some terms."""

    def __getitem__(self, number: int, /) -> tuple[str, ...]:
        """Those of a term that has some."""

    def get(self, number: int, /) -> tuple[str, ...] | None:
        """Those of any term; None where it has none."""


@dataclass(slots=True)
class Uses:
    """What one pattern is used for; indices into the terms."""

    whole: list[int] = field(default_factory=list)
    """Terms that are this pattern."""
    anchored: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    """Phrases that have this part as their anchor, each with its other parts."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The patterns of an automaton with their uses, and the words of phrases and companions."""

    uses: Mapping[str, Uses]
    parts: Known
    """Phrase -> its parts, in order."""
    companions: Known
    """Term with `with` -> those words."""


def collect_keys(terms: Sequence[Term], chosen: Iterable[int], spell: Spell, ordinary: str) -> Keys:
    """The keys for the terms at the indices `chosen`, as `spell` writes them.

    `ordinary` is text, spelled likewise, in which a part that is common makes a bad anchor.
    """
    uses: dict[str, Uses] = {}
    parts: dict[int, tuple[str, ...]] = {}
    companions: dict[int, tuple[str, ...]] = {}
    common: dict[str, int] = {}
    for number in chosen:
        term = terms[number]
        spelled = tuple(map(spell, parts_of(term)))
        if not spelled or not all(spelled):
            raise DataError(
                f"{term.id}: {term.pattern!r} has a part without letter or digit, which would be everywhere"
            )
        if len(spelled) > 1:
            parts[number] = spelled
            for part in spelled:
                common.setdefault(part, ordinary.count(part))
            anchor = min(spelled, key=lambda part: (common[part], -len(part)))
            # A phrase of one word twice has no other part; asking for the anchor again costs nothing.
            others = tuple(part for part in spelled if part != anchor) or (anchor,)
            uses.setdefault(anchor, Uses()).anchored.append((number, others))
        else:
            uses.setdefault(spelled[0], Uses()).whole.append(number)
        if term.with_:
            companions[number] = tuple(map(spell, term.with_))
    return Keys(uses, parts, companions)
