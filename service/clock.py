"""Time behind a protocol, so that tests can hold it still. All times are aware and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Whatever can say what time it is."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is told to go on.

    Raises ValueError for a naive time: nobody could say which moment it means.
    """

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("give the clock an aware time, e.g. datetime(2026, 1, 1, tzinfo=UTC)")
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        """Goes on by `seconds`; negative goes back."""
        self._now += timedelta(seconds=seconds)
