"""Compares what a decision found with what a row expects: by place in the text, digits by their values."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.decide.decision import Decision
from service.text.span import Span

LEAST_DIGITS = 5
COUNTRY = ("0086", "86")


@dataclass(frozen=True, slots=True)
class Match:
    """One row: `wanted` strings, of which `exact` were found with the right span and `near` with another."""

    wanted: int
    exact: int
    near: int
    unexpected: int
    """Findings that touch nothing expected."""

    def describe(self) -> str:
        return f" expected {self.exact}/{self.wanted}, unexpected {self.unexpected}"


def match_expected(text: str, expected: Sequence[str], decision: Decision, digits: Mapping[int, str]) -> Match:
    """Each expected string takes the first finding that fits it; `digits` folds digit words."""
    spans = [
        verdict.finding.candidate.span for verdict in decision.verdicts if verdict.finding.candidate.field == "text"
    ]
    exact = near = 0
    used: set[Span] = set()
    searched = 0
    for wanted in expected:
        at = text.find(wanted, searched)
        if at < 0:
            at = text.find(wanted)
        place = Span(at, at + len(wanted)) if at >= 0 else None
        searched = max(searched, place.end if place else 0)
        right = [span for span in spans if same(text, span, wanted, place, digits)]
        touching = [span for span in spans if touches(text, span, wanted, place, digits)]
        exact += bool(right)
        near += bool(touching and not right)
        used.update(right, touching)
    return Match(len(expected), exact, near, sum(span not in used for span in spans))


def same(text: str, span: Span, wanted: str, place: Span | None, digits: Mapping[int, str]) -> bool:
    """Whether the finding is what was expected, from its first character to its last."""
    if not is_number(wanted):
        return span == place
    found = digits_of(text[span.start : span.end], digits)
    return found == wanted or any(found == country + wanted for country in COUNTRY)


def touches(text: str, span: Span, wanted: str, place: Span | None, digits: Mapping[int, str]) -> bool:
    """Whether the finding is about what was expected, though not all of it, or more."""
    if place:
        return span.overlaps(place)
    found = digits_of(text[span.start : span.end], digits)
    return is_number(wanted) and (wanted in found or (len(found) >= LEAST_DIGITS and found in wanted))


def is_number(wanted: str) -> bool:
    return wanted.isascii() and wanted.isdigit() and len(wanted) >= LEAST_DIGITS


def digits_of(text: str, words: Mapping[int, str]) -> str:
    """The digits in `text`, in whatever clothes, as ASCII."""
    plain = unicodedata.normalize("NFKC", text).translate(words)
    return "".join(str(unicodedata.digit(c)) for c in plain if unicodedata.digit(c, None) is not None)
