"""Attached pictures, after inspection, become candidates: a code is one, so is a code nobody could read, so is a blind spot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from service.lexicon.term import Localized
from service.match.candidate import Candidate
from service.text.message import Image
from service.text.span import Span
from service.vocabulary import Action, Severity

SEVERITY_FOR: dict[Action, Severity] = {"allow": "low", "warn": "medium", "block": "high"}
"""The severity that leads to a fail action under every policy."""


@dataclass(frozen=True, slots=True)
class PictureWords:
    """`lexicons/detectors/pictures.toml`: reasons per kind."""

    kinds: Mapping[str, Mapping[str, Any]]
    suggestion: Localized

    def candidate(self, index: int, kind: str, detector: str, severity: Severity, value: str) -> Candidate:
        """A candidate of `kind` in attachment `index`; its span covers the whole payload."""
        return Candidate(
            detector=detector,
            category="qr_code",
            severity=severity,
            span=Span(0, len(value)),
            parts=(Span(0, len(value)),),
            view="image",
            value=value,
            reason=msgspec.convert(self.kinds[kind]["reason"], Localized),
            suggestion=self.suggestion,
            kind=kind,
            field=f"attachments/{index}",
        )


def compile_pictures(words: Mapping[str, Any]) -> PictureWords:
    return PictureWords(words["kinds"], msgspec.convert(words["suggestion"], Localized))


def propose_pictures(images: Sequence[Image], fail_action: Action, words: PictureWords) -> Iterator[Candidate]:
    """One candidate a code, one a picture with an unreadable code, one a picture that was not inspected."""
    for index, image in enumerate(images):
        for payload in image.payloads:
            yield words.candidate(index, "code", "pictures", "high", payload)
        if image.undecodable:
            yield words.candidate(index, "unreadable", "pictures", "medium", "")
        if image.skipped:
            yield words.candidate(index, "not_inspected", "fail_action", SEVERITY_FOR[fail_action], "")


def name_blind_spots(images: Sequence[Image]) -> tuple[str, ...]:
    """What was not inspected and why: `qr_image: 2 not fetched`."""
    reasons = Counter(image.skipped for image in images if image.skipped)
    return tuple(f"qr_image: {count} {reason}" for reason, count in sorted(reasons.items()))
