"""A decision as a person at a terminal reads it: the message with its spans in colour, then the reasons."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from service.decide.decision import Decision
from service.match.candidate import Candidate
from service.vocabulary import Action

COLOURS: dict[Action, str] = {"allow": "green", "warn": "yellow", "block": "red"}


def show_decision(text: str, decision: Decision, *, explain: bool = False) -> str:
    """Lines of text with terminal colours; `explain` adds what was dismissed and why."""
    action = typer.style(decision.action, fg=COLOURS[decision.action], bold=True)
    lines = [f"{action}  {colour_spans(text, decision)}"]
    for verdict in decision.verdicts:
        candidate = verdict.finding.candidate
        notes = [*verdict.clauses, *candidate.disguises, verdict.finding.confirmed_by]
        lines.append(f"  {verdict.action}  {name(candidate)}  {candidate.reason.zh_cn}  ({'; '.join(notes)})")
    if explain:
        lines += [f"  passed  {name(d.candidate)}  {d.check}: {d.because}" for d in decision.dismissed]
    lines += [f"  → {advice}" for advice in (decision.agent_message.zh_cn, decision.suggestion.zh_cn) if advice]
    return "\n".join(lines)


def name(candidate: Candidate) -> str:
    """Where and by what: `1-5 contact/jiawei`."""
    by = candidate.term.id if candidate.term else candidate.detector
    return f"{candidate.span.start}-{candidate.span.end} {by}"


def colour_spans(text: str, decision: Decision) -> str:
    return "".join(_pieces(text, decision)).replace("\x00", "␀")


def _pieces(text: str, decision: Decision) -> Iterator[str]:
    found = [(verdict.finding.candidate, verdict.action) for verdict in decision.verdicts]
    places = [(span, action) for c, action in found if c.field == "text" for span in (c.span, *c.more)]
    done = 0
    for (start, end), action in sorted(places):
        if end <= done:
            continue
        yield text[done : max(done, start)]
        yield typer.style(text[max(done, start) : end], fg=COLOURS[action], bold=True)
        done = end
    yield text[done:]
