"""Conversations in the memory of one process: bounded, gone when they are old or when others are used more."""

from __future__ import annotations

from cachetools import TTLCache

from service.lexicon.frequency import HIGHEST_COUNT, LONGEST_WINDOW
from service.replicas.conversation import Attempt, Bounds, Counted, Recent, Said, read_pace, read_window

Place = tuple[str, str]


class MemoryConversations:
    """A ConversationStore that other processes do not share."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._now = 0.0
        self._windows: TTLCache[Place, list[Said]] = TTLCache(bounds.conversations, bounds.seconds, self._time)
        self._counts: TTLCache[Place, dict[Counted, float]] = TTLCache(bounds.conversations, LONGEST_WINDOW, self._time)

    async def append(self, attempt: Attempt, now: float) -> Recent:
        return self.append_now(attempt, now)

    @property
    def lost(self) -> bool:
        return False

    def append_now(self, attempt: Attempt, now: float) -> Recent:
        """The same without a loop: it only computes."""
        self._now = max(self._now, now)
        window = [*self._windows.get((attempt.group, attempt.window), ()), attempt.said][-self._bounds.stored :]
        self._windows[attempt.group, attempt.window] = window
        counts = self._counts.get((attempt.group, attempt.counter), {})
        recent = {each: at for each, at in counts.items() if at > now - LONGEST_WINDOW}
        recent.setdefault(attempt.counted, now)
        while len(recent) > HIGHEST_COUNT:
            del recent[min(recent, key=recent.__getitem__)]
        self._counts[attempt.group, attempt.counter] = recent
        return Recent(read_window(window, attempt, self._bounds), read_pace(recent, attempt))

    async def withdraw(self, attempt: Attempt) -> None:
        self.withdraw_now(attempt)

    def withdraw_now(self, attempt: Attempt) -> None:
        window = self._windows.get((attempt.group, attempt.window), [])
        place = next((i for i in reversed(range(len(window))) if window[i] == attempt.said), None)
        if place is not None:
            del window[place]
        self._counts.get((attempt.group, attempt.counter), {}).pop(attempt.counted, None)

    async def close(self) -> None:
        self._windows.clear()
        self._counts.clear()

    def _time(self) -> float:
        return self._now
