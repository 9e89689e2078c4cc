from datetime import UTC, datetime, timedelta, timezone

import pytest

from service.clock import FixedClock, SystemClock


def test_system_clock_is_aware_and_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_fixed_clock_stands_until_it_is_advanced() -> None:
    clock = FixedClock(datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))))
    assert clock.now() == clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    clock.advance(1.5)
    assert clock.now() == datetime(2026, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)


def test_fixed_clock_refuses_a_naive_time() -> None:
    with pytest.raises(ValueError, match="aware"):
        FixedClock(datetime(2026, 1, 1))
