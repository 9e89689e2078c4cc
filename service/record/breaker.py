"""Whether the database is asked at all: closed while it answers in time, open while it does not.

closed -> (a group failed or was too slow) -> open -> (asked in the background, ever more rarely) -> closed
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 5.0
CALM_SECONDS = 30.0
"""A failure so soon after the last recovery waits longer than that one did."""


class Breaker:
    """For the groups of one process. Opened by whoever writes, closed by whoever has replayed the journal."""

    def __init__(self, time: Callable[[], float] = monotonic) -> None:
        self.reason = ""
        """Why it is open, as what stands behind "database"; empty when it is closed."""
        self._time = time
        self._pause = FIRST_SECONDS
        self._ask_at = float("-inf")
        self._closed_at = float("-inf")

    @property
    def is_closed(self) -> bool:
        return not self.reason

    def open(self, reason: str) -> None:
        """A group was not written."""
        if self.is_closed and self._time() - self._closed_at > CALM_SECONDS:
            self._pause = FIRST_SECONDS
        self.reason = reason
        self._wait()

    def still_out(self, reason: str) -> None:
        """Asked, and it did not answer."""
        self.reason = reason
        self._wait()

    def may_ask(self) -> bool:
        """Whether it is time to see if the database is back."""
        return self._time() >= self._ask_at

    def close(self) -> None:
        """It answers, and has all that waited."""
        self.reason = ""
        self._closed_at = self._time()

    def _wait(self) -> None:
        self._ask_at = self._time() + self._pause
        self._pause = min(2 * self._pause, LONGEST_SECONDS)
