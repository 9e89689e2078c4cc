"""Everything an engine is compiled from: checked, immutable, and named by the hash of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from service.lexicon.context import Context
from service.lexicon.frequency import NEVER, Frequency
from service.lexicon.policy import CategoryWords, PlatformRules
from service.lexicon.term import ExceptionPhrase, Term
from service.normalise.tables import Tables
from service.vocabulary import Category, Platform


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of all the data. Two snapshots with equal content have equal versions."""

    lexicon: str
    """The lexicon's name: `builtin` for the shipped one."""
    terms: tuple[Term, ...]
    exceptions: tuple[ExceptionPhrase, ...]
    contexts: tuple[Context, ...]
    platforms: Mapping[Platform, PlatformRules]
    categories: Mapping[Category, CategoryWords]
    detectors: Mapping[str, Mapping[str, Any]]
    """Per detector module in `match/detectors/`, the words and texts of its data file."""
    tables: Tables
    sound_support: Mapping[Category, tuple[str, ...]]
    """Words that make an ordinary word suspicious when it only sounds like a term of the category."""
    frequency: Frequency = NEVER
    """How many messages to one customer are too many."""
    corpus: tuple[str, ...] = ()
    """Ordinary sentences that no term may hit."""
    folder: Path | None = None
    """Where it was read from, for those who are told what is wrong with it."""

    @property
    def version(self) -> str:
        """`builtin@3f2a…`: the lexicon's name and the first 12 hex digits of its content's SHA-256."""
        content = msgspec.json.encode(
            (
                sorted(self.terms, key=lambda term: term.id),
                self.exceptions,
                self.contexts,
                self.detectors,
                self.sound_support,
                self.frequency,
            ),
            order="sorted",
        )
        return f"{self.lexicon}@{hashlib.sha256(content).hexdigest()[:12]}"
