from datetime import UTC, datetime

import pytest

from service.errors import Malformed
from service.record.cursor import key_cursor, read_key_cursor, read_time_cursor, time_cursor


def test_a_cursor_comes_back() -> None:
    moment = datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert read_time_cursor(time_cursor(moment, "id-1")) == (moment, "id-1")
    assert read_key_cursor(key_cursor("店铺 1"), 1) == ["店铺 1"]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "?",
        "微信",
        "\ud800",
        "AAAA",
        key_cursor("yesterday", "id"),
        key_cursor("2026-03-01T00:00:00", "id"),
        key_cursor("2026-03-01T00:00:00+00:00"),
        key_cursor("2026-03-01T00:00:00+00:00", "id", "more"),
        key_cursor("2026-03-01T00:00:00+00:00", "\0"),
        time_cursor(datetime(2026, 3, 1, tzinfo=UTC), "id")[:-3],
    ],
)
def test_a_broken_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed, match="cursor"):
        read_time_cursor(cursor)
