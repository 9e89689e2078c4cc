"""When a failed delivery is tried again, and when no more. Pure.

at once, 5 s, 20 s, 1 min, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h    after the first attempt
"""

from __future__ import annotations

from datetime import datetime, timedelta

OFFSETS = (0.0, 5.0, 20.0, 60.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds after the first attempt. Those of the first minute are for a receiver that is only being restarted."""
JITTER = 0.1
"""Later by up to this share, so that what failed together does not come back together."""
SHORTEST = 5.0
"""Seconds between two attempts."""
LATE = 3_600.0
"""Seconds between attempts that are owed after the day is over, because this service was down in it."""
LONGEST_PAUSE = 86_400.0
"""Seconds for which a receiver may ask by Retry-After."""


def next_attempt(
    attempts: int, first: datetime, started: datetime, now: datetime, jitter: float, pause: float | None = None
) -> datetime | None:
    """When to try again after attempt number `attempts`, which began at `started` and has failed by `now`.

    `jitter` is 0 to 1, by chance. `pause`: seconds that the receiver asked for. None: never again. The time since the
    first attempt decides and not the count, so attempts that were made out of turn use up nothing.
    """
    elapsed = (started - first).total_seconds()
    later = next((offset for offset in OFFSETS if offset > elapsed), None)
    if later is not None:
        gap = later - max((offset for offset in OFFSETS if offset <= elapsed), default=0.0)
        due = first + timedelta(seconds=later + gap * JITTER * jitter)
    elif attempts < len(OFFSETS):
        due = now + timedelta(seconds=LATE * (1 + JITTER * jitter))
    else:
        return None
    least = max(SHORTEST, min(pause or 0.0, LONGEST_PAUSE))
    return max(due, now + timedelta(seconds=least))
