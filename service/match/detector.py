"""What a detector is: code that finds one kind of number, link or account by its form. One module each in `detectors/`.

A module there has `compile_detector(words) -> Detector`, where `words` is its data file `lexicons/detectors/<name>.toml`.
Adding one touches that module, that file and its test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

import msgspec

from service.errors import DataError
from service.lexicon.term import Localized
from service.match import detectors
from service.match.candidate import Candidate, ViewName
from service.match.disguise import name_disguises
from service.match.repeats import surroundings_key
from service.normalise.aligned import AlignedText
from service.normalise.tables import Tables
from service.text.span import Span
from service.vocabulary import Category, Severity

T = TypeVar("T")
Words = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a detector reads: the folded text, the same with digit words as digits, and how to get back."""

    exact: str
    folded: AlignedText
    noise: str
    """The folded text with everything that is neither ASCII nor a letter as one noise character."""
    digits: str
    """The same with digit words as digits. Both are as long as `folded.text`; offsets are the same."""
    tables: Tables


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing a detector found, in offsets of the folded text."""

    start: int
    end: int
    value: str
    """In its plain form: digits only, host in lower case, …"""
    severity: Severity | None = None
    """Where it differs from the data file's."""
    evidence: str = ""
    kind: str = ""
    """The entry of the data file's `kinds` that has the reason; empty for the file's own."""
    category: Category | None = None


@dataclass(frozen=True, slots=True)
class Detector:
    """A compiled detector."""

    name: str
    trigger: str
    """RE2 pattern; where it does not match the digits reading, the detector is not run."""
    find: Callable[[Reading], Iterable[Mark]]
    words: Words
    view: ViewName = "folded"

    def propose(self, reading: Reading) -> Iterator[Candidate]:
        """A candidate for each thing found; what is found again amid the same words is its `more`."""
        groups: dict[object, list[Mark]] = {}
        for mark in self.find(reading):
            amid = surroundings_key(reading.folded.text, mark.start, mark.end)
            groups.setdefault((mark.kind, mark.value, amid), []).append(mark)
        for marks in groups.values():
            yield self._candidate(marks[0], reading, marks[1:])

    def _candidate(self, mark: Mark, reading: Reading, again: Sequence[Mark]) -> Candidate:
        words = self.words.get("kinds", {}).get(mark.kind, self.words)
        span = reading.folded.span(mark.start, mark.end)
        typed, folded = reading.exact[span.start : span.end], reading.folded.text[mark.start : mark.end]
        return Candidate(
            detector=self.name,
            category=mark.category or self.words["category"],
            severity=mark.severity or words.get("severity") or self.words["severity"],
            span=span,
            parts=(Span(mark.start, mark.end),),
            view=self.view,
            value=mark.value,
            disguises=name_disguises(typed, folded, self.view, reading.tables.fold),
            reason=msgspec.convert(words["reason"], Localized),
            suggestion=msgspec.convert(words.get("suggestion") or self.words.get("suggestion", {}), Localized),
            evidence=mark.evidence,
            kind=mark.kind,
            more=tuple(reading.folded.span(other.start, other.end) for other in again),
        )


def compile_detectors(words: Mapping[str, Words]) -> tuple[Detector, ...]:
    """Every detector in `match/detectors/`, with its data file's words."""
    compiled = []
    for module in sorted(info.name for info in iter_modules(detectors.__path__)):
        compile_detector = import_module(f"{detectors.__name__}.{module}").compile_detector
        compiled.append(compile_words(module, words, compile_detector))
    return tuple(compiled)


def compile_words(name: str, words: Mapping[str, Words], compile_one: Callable[[Words], T]) -> T:
    """What `compile_one` makes of the data file called `name`.

    Raises DataError for a file or an entry that is missing or is not what it should be.
    """
    path = f"lexicons/detectors/{name}.toml"
    if name not in words:
        raise DataError(f"{path}: no such file; every detector has one")
    try:
        return compile_one(words[name])
    except KeyError as error:
        raise DataError(f"{path}: there is no {error}; restore it from the shipped file") from error
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: {error}; lists hold words in double quotes") from error
