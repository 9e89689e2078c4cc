"""Attached pictures, after inspection, become candidates: a code nobody could read is one, so is a blind spot.

What a readable code leads to needs the detectors and their checks, so those are judged in `verify/codes.py`; the words for
them are here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from service.lexicon.term import Localized
from service.match.candidate import Candidate
from service.match.pattern import Pattern, compile_pattern
from service.text.message import Image
from service.text.span import Span
from service.vocabulary import Action, Severity

SEVERITY_FOR: dict[Action, Severity] = {"allow": "low", "warn": "medium", "block": "high"}
"""The severity that leads to a fail action under every policy."""


@dataclass(frozen=True, slots=True)
class PictureWords:
    """`lexicons/detectors/pictures.toml`: what the kinds are called, how grave they are, and what tells them."""

    reasons: Mapping[str, Localized]
    severities: Mapping[str, Severity]
    patterns: Sequence[tuple[Pattern, str]]
    """With the kind that each stands for, in the file's order."""
    kind_of_detector: Mapping[str, str]
    suggestion: Localized

    def kind_of(self, payload: str) -> str:
        """The kind whose pattern fits a folded payload; empty for none."""
        return next((kind for pattern, kind in self.patterns if pattern.search(payload)), "")

    def candidate(self, index: int, kind: str, detector: str, value: str = "") -> Candidate:
        """A candidate of `kind` in attachment `index`; its span covers the whole payload."""
        return Candidate(
            detector=detector,
            category="qr_code",
            severity=self.severities[kind],
            span=Span(0, len(value)),
            parts=(Span(0, len(value)),),
            view="image",
            value=value,
            reason=self.reasons[kind],
            suggestion=self.suggestion,
            kind=kind,
            field=f"attachments/{index}",
        )


def compile_pictures(words: Mapping[str, Any]) -> PictureWords:
    """Raises KeyError for a kind that is missing, ValueError for a pattern that RE2 refuses."""
    kinds: Mapping[str, Mapping[str, Any]] = words["kinds"]
    for needed in ("text", "words", "unreadable", "not_inspected"):
        kinds[needed]
    return PictureWords(
        reasons={kind: msgspec.convert(entry["reason"], Localized) for kind, entry in kinds.items()},
        severities={kind: entry.get("severity", words["severity"]) for kind, entry in kinds.items()},
        patterns=[(compile_pattern(each), kind) for kind, entry in kinds.items() for each in entry.get("patterns", ())],
        kind_of_detector={name: kind for kind, entry in kinds.items() for name in entry.get("detectors", ())},
        suggestion=msgspec.convert(words["suggestion"], Localized),
    )


def propose_pictures(images: Sequence[Image], fail_action: Action, words: PictureWords) -> Iterator[Candidate]:
    """One candidate a picture with an unreadable code, one a picture that was not inspected."""
    for index, image in enumerate(images):
        if image.undecodable:
            yield words.candidate(index, "unreadable", "pictures")
        if image.skipped:
            candidate = words.candidate(index, "not_inspected", "fail_action")
            yield replace(candidate, severity=SEVERITY_FOR[fail_action])


def name_blind_spots(images: Sequence[Image]) -> tuple[str, ...]:
    """What was not inspected and why: `qr_image: 2 not fetched`."""
    reasons = Counter(image.skipped for image in images if image.skipped)
    return tuple(f"qr_image: {count} {reason}" for reason, count in sorted(reasons.items()))
