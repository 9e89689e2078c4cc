"""Cursors of lists: the sort key of the last item shown, in a wrapping that nobody builds upon."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime

import msgspec

from service.errors import Malformed


def time_cursor(at: datetime, item_id: str) -> str:
    """The cursor behind the item with this time and id."""
    return key_cursor(at.isoformat(), item_id)


def read_time_cursor(cursor: str) -> tuple[datetime, str]:
    """Time (aware) and id of the item that `cursor` stands behind. Raises Malformed when it is not one of
    ours.
    """
    at, item_id = read_key_cursor(cursor, 2)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise broken() from error
    if moment.tzinfo is None:
        raise broken()
    return moment, item_id


def key_cursor(*key: str) -> str:
    """The cursor behind the item with this sort key."""
    return urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def read_key_cursor(cursor: str, size: int) -> list[str]:
    """The `size` parts of the sort key in `cursor`. Raises Malformed when it is not one of ours."""
    try:
        key = msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=list[str])
    except (ValueError, msgspec.MsgspecError) as error:
        raise broken() from error
    if len(key) != size or any("\0" in part for part in key):
        raise broken()
    return key


def read_number_cursor(cursor: str) -> int:
    """The number in a cursor of one part. Raises Malformed when it is not one of ours."""
    (number,) = read_key_cursor(cursor, 1)
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise broken()
    return int(number)


def broken() -> Malformed:
    """The error for a cursor that was tampered with, or is of another list."""
    return Malformed("cursor is not one that this list gave out; leave it out to start from the first page")
