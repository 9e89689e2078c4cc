"""Of findings that say the same thing, the one that counts. A list in, a shorter list out; nothing else changes."""

from __future__ import annotations

from collections.abc import Sequence

from service.decide.decision import Verdict
from service.match.candidate import Candidate
from service.verify.finding import Dismissal
from service.vocabulary import ACTION_RANK, SEVERITY_RANK

READING_ORDER = ("squeezed", "lookalike", "split", "repeated", "homophone")
"""Plainer readings explain a hit better."""


def collapse(verdicts: Sequence[Verdict]) -> tuple[list[Verdict], list[Dismissal]]:
    """Drop every verdict that lies within a stronger or equal one of its field, or around a stronger one of its category.

    Stronger: the stricter action, then the graver severity, then the longer span, then what was typed more plainly.
    Kept verdicts come in the order of their spans.
    """
    kept: list[Verdict] = []
    dropped: list[Dismissal] = []
    covered: dict[tuple[str, int], Verdict] = {}
    """Text and place -> of the kept verdicts over it, the one that reaches furthest."""
    for verdict in sorted(verdicts, key=_strength, reverse=True):
        candidate = verdict.finding.candidate
        start, end = candidate.span
        where = _text_of(candidate)
        holder = covered.get((where, start))
        if holder is not None and start < end <= holder.finding.candidate.span.end:
            dropped.append(Dismissal(candidate, "contained", f"inside {_name(holder)}"))
            continue
        core = next((inner for place in range(start, end) if (inner := covered.get((where, place)))), None)
        if core is not None and _says_less(candidate, core.finding.candidate):
            dropped.append(Dismissal(candidate, "contained", f"around {_name(core)}"))
            continue
        kept.append(verdict)
        for place in range(start, end):
            other = covered.setdefault((where, place), verdict)
            if other.finding.candidate.span.end < end:
                covered[where, place] = verdict
    kept.sort(key=lambda v: (v.finding.candidate.field, v.finding.candidate.span))
    return kept, dropped


def _text_of(candidate: Candidate) -> str:
    """What a span is a place in: the message's text, or one of the codes in a picture."""
    return candidate.field if candidate.field == "text" else f"{candidate.field} {candidate.value}"


def _says_less(candidate: Candidate, core: Candidate) -> bool:
    """Whether `candidate` is a weaker reading around `core`: 你是傻逼吗 around 傻逼."""
    return candidate.category == core.category and candidate.span.contains(core.span)


def _strength(verdict: Verdict) -> tuple[int, int, int, int, str]:
    candidate = verdict.finding.candidate
    return (
        ACTION_RANK[verdict.action],
        SEVERITY_RANK[verdict.finding.severity],
        candidate.span.end - candidate.span.start,
        -READING_ORDER.index(candidate.view) if candidate.view in READING_ORDER else 0,
        candidate.value,
    )


def _name(verdict: Verdict) -> str:
    candidate = verdict.finding.candidate
    return candidate.term.id if candidate.term else f"{candidate.detector} {candidate.value}"
