"""The least that is needed: what of a message may be stored.

In: a decision or an outcome with the text as typed. Out: the same with numbers of cards, accounts, papers and phones as
asterisks of the same length; and, for retries, without any word of the message, since whoever retries brings it along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from service.decide.decision import Decision
from service.record.outcome import Excused, Found, Outcome, places

LONG_NUMBER = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,2}[0-9]){6,}")
"""In what a picture's code says there are no spans to go by."""

Row = TypeVar("Row", Found, Excused)
SECRET_CATEGORIES = frozenset({"bank_account", "payment_account", "privacy_leak"})
SECRET_DETECTORS = frozenset({"cards", "ibans", "identities", "phones", "emails", "payments"})
"""Detectors whose hits identify a person or an account whatever category they are put in."""
EXCUSED_SECRETS = frozenset({"policy", "contained"})
"""Checks that dismiss a real number, not something that only looks like one."""


def kept_text(decision: Decision, text: str, *, keep_evidence: bool) -> str:
    """The message as it may be stored: same length, secrets as asterisks unless the tenant keeps evidence."""
    if keep_evidence:
        return storable(text)
    hits = [verdict.finding.candidate for verdict in decision.verdicts]
    hits += [each.candidate for each in decision.dismissed if each.check in EXCUSED_SECRETS]
    spans = [span for hit in hits if is_secret(hit.category, hit.detector) for span in places(hit)]
    return storable(overwrite(text, spans))


def kept_findings(outcome: Outcome, text: str, *, keep_evidence: bool) -> tuple[Found, ...]:
    """The findings as they may be stored beside `text`, which `kept_text` gave."""
    return tuple(
        msgspec.structs.replace(found, text=_kept(found, text, keep_evidence=keep_evidence))
        for found in outcome.findings
    )


def for_retries(outcome: Outcome, *, keep_evidence: bool) -> Outcome:
    """The outcome without the message: whoever sends it again brings the text along."""

    def blank(row: Found | Excused) -> str:
        return "" if row.field == "text" else _kept(row, "", keep_evidence=keep_evidence)

    return msgspec.structs.replace(
        outcome,
        findings=tuple(msgspec.structs.replace(row, text=blank(row)) for row in outcome.findings),
        dismissed=tuple(
            msgspec.structs.replace(row, text=blank(row), because=_kept_reason(row, keep_evidence=keep_evidence))
            for row in outcome.dismissed
        ),
        masked_text="",
    )


def replayed(outcome: Outcome, text: str) -> Outcome:
    """What `for_retries` kept, with the words sliced out of `text` again."""
    return msgspec.structs.replace(
        outcome,
        findings=tuple(_resliced(row, text) for row in outcome.findings),
        dismissed=tuple(_resliced(row, text) for row in outcome.dismissed),
        masked_text=overwrite(text, outcome.masked),
        replayed=True,
    )


def is_secret(category: str, detector: str) -> bool:
    """True for what must not be readable in the store."""
    return category in SECRET_CATEGORIES or detector in SECRET_DETECTORS


def overwrite(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """`text` with asterisks over the spans, of the same length."""
    characters = list(text)
    for start, end in spans:
        characters[start:end] = "*" * (end - start)
    return "".join(characters)


def storable(text: str) -> str:
    """PostgreSQL has no NUL in its texts; its picture (U+2400) stands for it, so that offsets stay."""
    return text.replace("\0", "\u2400")


def _kept(row: Found | Excused, text: str, *, keep_evidence: bool) -> str:
    if row.field == "text":
        return text[row.start : row.end]
    if keep_evidence:
        return storable(row.text)
    if is_secret(row.category, row.detector):
        return "*" * len(row.text)
    return storable(LONG_NUMBER.sub(lambda found: "*" * len(found.group()), row.text))


def _kept_reason(row: Excused, *, keep_evidence: bool) -> str:
    hidden = row.text and not keep_evidence and is_secret(row.category, row.detector)
    return row.because.replace(row.text, "*" * len(row.text)) if hidden else row.because


def _resliced(row: Row, text: str) -> Row:
    return msgspec.structs.replace(row, text=text[row.start : row.end]) if row.field == "text" else row
