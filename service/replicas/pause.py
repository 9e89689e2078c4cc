"""Whether a server that failed may be asked again: nobody for a moment, then one at a time until it answers."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

PAUSE = 1.0
"""Seconds after a failure in which nobody asks; then one caller tries."""
NEVER = float("-inf")


class Pause:
    """What a process knows of one server."""

    def __init__(self, time: Callable[[], float] = monotonic) -> None:
        self._time = time
        self._until = NEVER

    @property
    def lost(self) -> bool:
        """It failed, and has not answered since."""
        return self._until > NEVER

    def may_ask(self) -> bool:
        if not self.lost:
            return True
        now = self._time()
        if now < self._until:
            return False
        # Only one at a time finds out whether the server is back.
        self._until = now + PAUSE
        return True

    def failed(self) -> None:
        self._until = self._time() + PAUSE

    def answered(self) -> None:
        self._until = NEVER
