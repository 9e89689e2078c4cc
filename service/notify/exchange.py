"""What is sent to an endpoint, what comes back, and what that means."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from service.record.event import Event

SLOW_DOWN = (429, 502, 503, 504)
"""Statuses by which a receiver may ask for a pause."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One POST."""

    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    latency_ms: float
    status: int | None = None
    """None: nobody answered, `error` says why."""
    error: str | None = None
    retry_after: float | None = None
    """Seconds, as the receiver asked for."""
    body: bytes = b""
    """Its beginning."""


@dataclass(frozen=True, slots=True)
class Heard:
    """It was delivered."""


@dataclass(frozen=True, slots=True)
class NotHeard:
    """It was not."""

    error: str
    pause: float | None = None
    """Seconds for which the endpoint is to be left alone."""
    gone: bool = False
    """The endpoint does not want to hear anything, ever."""


Verdict = Heard | NotHeard


class Target(Protocol):
    """How one kind of endpoint is spoken to."""

    def write(self, event: Event, url: str, secrets: tuple[str, ...], now: datetime) -> Outgoing:
        """The POST that tells of `event`. `secrets`: the present one first; empty, nothing is signed."""
        ...

    def judge(self, answer: Answer) -> Verdict:
        """Whether it was heard."""
        ...


def judge_by_status(answer: Answer) -> Verdict:
    """2xx is heard; 3xx is not followed; 410 is for good."""
    if answer.status is None:
        return NotHeard(answer.error or "no answer")
    if 200 <= answer.status < 300:
        return Heard()
    if answer.status == 410:
        return NotHeard("answered 410: gone", gone=True)
    pause = answer.retry_after if answer.status in SLOW_DOWN else None
    followed = ", which is not followed" if 300 <= answer.status < 400 else ""
    return NotHeard(f"answered {answer.status}{followed}", pause)
