"""Terms become the keys of one automaton, each key knowing what it is used for.

A phrase has a key per part and a `with` word one each, so a word that a hundred phrases share is looked for once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from service.lexicon.term import Term

Spell = Callable[[str], str]
"""Spells a pattern the way that a view spells texts."""


@dataclass(slots=True)
class Uses:
    """What one key is used for; indices into the terms."""

    length: int
    whole: list[int] = field(default_factory=list)
    """Terms that have this key as their pattern."""
    anchors: list[int] = field(default_factory=list)
    """Phrases whose rarest part this key is: without it they cannot be there."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The patterns of an automaton, and which of them belong to which term."""

    patterns: tuple[str, ...]
    uses: tuple[Uses, ...]
    parts: Mapping[int, tuple[int, ...]]
    """Phrase -> its parts' keys, in order."""
    companions: Mapping[int, tuple[int, ...]]
    """Term with `with` -> the keys of those words."""


def collect_keys(terms: Sequence[Term], chosen: Iterable[int], spell: Spell, ordinary: str) -> Keys:
    """The keys for the terms at the indices `chosen`, as `spell` writes them.

    `ordinary` is text, spelled likewise, in which a part that is common makes a bad anchor.
    """
    index: dict[str, int] = {}
    uses: list[Uses] = []

    def key(pattern: str) -> int:
        text = spell(pattern)
        if text not in index:
            index[text] = len(uses)
            uses.append(Uses(len(text)))
        return index[text]

    parts: dict[int, tuple[int, ...]] = {}
    companions: dict[int, tuple[int, ...]] = {}
    for number in chosen:
        term = terms[number]
        if term.match == "phrase":
            parts[number] = tuple(key(part) for part in term.pattern.split())
        else:
            uses[key(term.pattern)].whole.append(number)
        if term.with_:
            companions[number] = tuple(key(word) for word in term.with_)
    patterns = tuple(index)
    common = {part: ordinary.count(patterns[part]) for part in set().union(*parts.values())}
    for number, keys in parts.items():
        uses[min(keys, key=lambda part: (common[part], -uses[part].length))].anchors.append(number)
    return Keys(patterns, tuple(uses), parts, companions)
