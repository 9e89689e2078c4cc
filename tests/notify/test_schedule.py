from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.notify.schedule import LATE, LONGEST_PAUSE, OFFSETS, next_attempt

FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)


def seconds(attempts: int, elapsed: float, took: float = 0.0, jitter: float = 0.0, pause: float | None = None) -> float:
    """When the next attempt is, in seconds after the first; -1: never."""
    started = FIRST + timedelta(seconds=elapsed)
    due = next_attempt(attempts, FIRST, started, started + timedelta(seconds=took), jitter, pause)
    return -1 if due is None else (due - FIRST).total_seconds()


def test_the_attempts_of_a_day() -> None:
    made, elapsed = [0.0], 0.0
    while (elapsed := seconds(len(made), elapsed)) >= 0:
        made.append(elapsed)
    assert tuple(made) == OFFSETS
    assert OFFSETS[-1] == timedelta(days=1).total_seconds()


@pytest.mark.parametrize(
    ("row", "due"),
    [
        # jitter is up to a tenth of the gap, and never earlier
        ({"attempts": 1, "elapsed": 0, "jitter": 1.0}, 5.5),
        ({"attempts": 2, "elapsed": 5.5, "jitter": 1.0}, 21.5),
        # a slow failure is followed by five seconds of rest
        ({"attempts": 1, "elapsed": 0, "took": 15.0}, 20),
        # the receiver's wish counts where it is longer, up to a day
        ({"attempts": 1, "elapsed": 0, "pause": 60.0}, 60),
        ({"attempts": 5, "elapsed": 300, "pause": 60.0}, 1800),
        ({"attempts": 1, "elapsed": 0, "pause": 1e12}, LONGEST_PAUSE),
        # attempts out of turn use up nothing
        ({"attempts": 50, "elapsed": 6000}, 7200),
        # what was not tried because this service was down is made up for
        ({"attempts": 2, "elapsed": 90_000}, 90_000 + LATE),
        ({"attempts": 12, "elapsed": 90_000}, -1),
    ],
)
def test_when_the_next_one_is(row: dict[str, float], due: float) -> None:
    assert seconds(**row) == due  # type: ignore[arg-type]
