"""Proves a snapshot by its own examples: what its terms must find and what they must let pass. A Snapshot in, complaints out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product

from service.confirm import Confirm
from service.decide.decision import Decision
from service.engine import Engine
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import Term, parts_of
from service.match.frequency import holding
from service.normalise.views import fold, squeeze
from service.text.message import Message
from service.vocabulary import PLATFORMS, Platform

CORPUS_PLATFORMS: tuple[Platform, ...] = ("generic", "pinduoduo", "taobao", "jd")
LONGEST_GAP = 20


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with the data."""

    rule: str
    subject: str
    """The term, exception or context it is about."""
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.detail}"


def lint(snapshot: Snapshot, engine: Engine) -> list[Complaint]:
    """All complaints about `snapshot`; `engine` is the one compiled from it."""
    return [
        *check_form(snapshot),
        *check_terms(snapshot.terms, engine, Confirm(engine)),
        *check_phrases(snapshot, engine),
        *check_corpus(snapshot, engine),
        *check_frequency(snapshot),
    ]


def check_form(snapshot: Snapshot) -> Iterator[Complaint]:
    """Rules that need no matching: ids, duplicates, empty and single-character patterns, missing examples."""
    seen: dict[tuple[object, ...], str] = {}
    ids: set[str] = set()
    for term in snapshot.terms:
        parts = [squeeze(fold(part, snapshot.tables)).text for part in parts_of(term)]
        if term.id in ids:
            yield Complaint("duplicate_id", term.id, "another term has this id; choose a new one")
        ids.add(term.id)
        if not term.id.startswith(f"{term.category}/"):
            yield Complaint("id_prefix", term.id, f"the id of a {term.category} term starts with {term.category}/")
        if not parts or not all(parts):
            yield Complaint("empty", term.id, f"{term.pattern!r} has nothing left after normalisation")
            continue
        twin = seen.setdefault((tuple(parts), term.match, term.with_, term.platforms), term.id)
        if twin != term.id:
            yield Complaint("duplicate", term.id, f"reads the same as {twin} after normalisation; keep one of them")
        if term.match == "phrase" and len(parts) < 2:
            yield Complaint("phrase", term.id, "a phrase has at least two parts, separated by blanks")
        if term.match == "substring" and len(parts[0]) < 2 and not term.with_:
            yield Complaint("single_character", term.id, 'one character needs `with` words or match = "word"')
        if not 0 <= term.gap <= LONGEST_GAP:
            yield Complaint("gap", term.id, f"a gap of {term.gap} is out of bounds; 0 to {LONGEST_GAP} are possible")
        if any(phrase in (term.pattern, "".join(parts)) for phrase in term.except_):
            yield Complaint("excused", term.id, "an exception of its own excuses the whole term")
        if not term.hits:
            yield Complaint("no_example", term.id, "add at least one sentence under `hits`")
        if not term.reason.zh_cn or not term.reason.en:
            yield Complaint("no_reason", term.id, "add a reason in zh-CN and en, or one under [defaults]")


def check_terms(terms: Iterable[Term], engine: Engine, confirm: Confirm) -> Iterator[Complaint]:
    """Every term finds its `hits` and none of its `passes`."""
    for term in terms:
        for text in term.hits:
            message = message_for(term, text)
            if not confirm.finds(term, message):
                why = why_not(engine.decide(message), term)
                yield Complaint("missed", term.id, f"does not find 「{text}」{why}")
        for text in term.passes:
            if confirm.finds(term, message_for(term, text)):
                yield Complaint("false_hit", term.id, f"finds 「{text}」")


def check_phrases(snapshot: Snapshot, engine: Engine) -> Iterator[Complaint]:
    """Exceptions and contexts let their `passes` through, and contexts do not cover their `hits`."""
    excusing = [(entry.phrase, entry.passes, ()) for entry in snapshot.exceptions]
    explaining = [(context.id, context.passes, context.hits) for context in snapshot.contexts]
    for subject, passes, hits in (*excusing, *explaining):
        for text in passes:
            yield from complain_about_hits("false_hit", subject, text, engine, ("generic",))
        for text in hits:
            if not engine.decide(Message(text, "generic")).verdicts:
                yield Complaint("missed", subject, f"nothing is found in 「{text}」")


def check_corpus(snapshot: Snapshot, engine: Engine) -> Iterator[Complaint]:
    """No term hits an ordinary sentence."""
    for text in snapshot.corpus:
        yield from complain_about_hits("ordinary_sentence", text, text, engine, CORPUS_PLATFORMS)


def check_frequency(snapshot: Snapshot) -> Iterator[Complaint]:
    """Every rule holds for its `hits` and for none of its `passes`."""
    for rule in snapshot.frequency.rule:
        for run, wanted in [*((run, True) for run in rule.hits), *((run, False) for run in rule.passes)]:
            held = any(other.id == rule.id for _, other in holding(*run.replay(), snapshot.frequency))
            if held != wanted:
                rate = f"{run.messages} messages in {run.seconds:g} s at {run.at:%H:%M}"
                yield Complaint("missed" if wanted else "false_hit", rule.id, f"{rate} {run.text}".rstrip())


def complain_about_hits(
    rule: str, subject: str, text: str, engine: Engine, platforms: Iterable[Platform]
) -> Iterator[Complaint]:
    """One complaint a term or detector that finds something in `text`."""
    decisions = [engine.decide(Message(text, platform)) for platform in platforms]
    found = {
        (verdict.finding.candidate.term.id if verdict.finding.candidate.term else verdict.finding.candidate.detector)
        + f" ({verdict.action}): {verdict.finding.candidate.value}"
        for decision in decisions
        for verdict in decision.verdicts
    }
    for name in sorted(found):
        yield Complaint(rule, name, f"finds 「{text}」" if subject == text else f"finds 「{text}」 of {subject}")


def message_for(term: Term, text: str) -> Message:
    """`text` where and when `term` is in force."""
    platform = next(p for p, allowed in product(PLATFORMS[::-1], term.platforms) if allowed in ("*", p))
    return Message(text, platform, day=term.valid_until or date.max)


def why_not(decision: Decision, term: Term) -> str:
    """What dismissed `term`, for the complaint."""
    for dismissal in decision.dismissed:
        if dismissal.candidate.term is not None and dismissal.candidate.term.id == term.id:
            return f" ({dismissal.check}: {dismissal.because})"
    return ""
