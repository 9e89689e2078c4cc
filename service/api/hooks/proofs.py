"""What proves a call: comparisons in constant time, MACs and ages. What does not fit raises Forged; no value is shown."""

from __future__ import annotations

import hmac
from base64 import b64encode
from datetime import datetime
from typing import Any

import msgspec

from service.api.hooks.tool import Forged
from service.errors import BadRequest

WINDOW = 300.0
"""Seconds that a call may be old, or early, unless its tool says otherwise."""


def same(given: str | bytes | None, expected: str | bytes) -> bool:
    """Whether they are equal, in a time that does not depend on where they differ. Nothing equals an empty one."""
    left = (given or "").encode() if isinstance(given, str | None) else given
    right = expected.encode() if isinstance(expected, str) else expected
    return bool(right) and hmac.compare_digest(left, right)


def require(given: str | bytes | None, expected: str | bytes, what: str) -> None:
    """Raises Forged, naming `what` is wrong or missing, such as `header X-Signature`."""
    if not given:
        raise Forged(f"{what} is missing")
    if not same(given, expected):
        raise Forged(f"{what} does not fit")


def hmac_hex(key: str | bytes, data: bytes, digest: str = "sha256") -> str:
    """In lower case."""
    return hmac.new(_bytes(key), data, digest).hexdigest()


def hmac_base64(key: str | bytes, data: bytes, digest: str = "sha256") -> str:
    return b64encode(hmac.new(_bytes(key), data, digest).digest()).decode()


def require_fresh(now: datetime, seconds: float, what: str, window: float = WINDOW) -> None:
    """Raises Forged when `seconds` (since 1970) lies more than `window` away from `now`, in the past or to come."""
    if not abs(now.timestamp() - seconds) <= window:
        raise Forged(f"{what} lies more than {window:g} seconds from now")


def number(given: Any, what: str) -> float:
    """A time as a tool writes it, in its own unit. Raises Forged for anything that is no plain number."""
    text = str(given) if isinstance(given, int | str) and not isinstance(given, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise Forged(f"{what} is missing or no number")
    return float(text)


def json_object(body: bytes) -> dict[str, Any]:
    """Raises BadRequest for what is no JSON object."""
    try:
        payload = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("The body is not JSON, or it is cut off.") from None
    if not isinstance(payload, dict):
        raise BadRequest("The body is not a JSON object.")
    return payload


def _bytes(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key
