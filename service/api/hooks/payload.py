"""Reading what a tool sent: every field may be missing or of another kind, and none of that may end in a crash."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from service.api.hooks.tool import HookSettings

MAX_ID = 128
FIRST, LAST = datetime(2000, 1, 2, tzinfo=UTC).timestamp(), datetime(2199, 12, 30, tzinfo=UTC).timestamp()


def dig(payload: Any, *path: str | int) -> Any:
    """What lies at `path`, keys of objects and places in lists; None when it leads nowhere."""
    for step in path:
        if isinstance(payload, dict) and isinstance(step, str):
            payload = payload.get(step)
        elif isinstance(payload, list) and isinstance(step, int) and -len(payload) <= step < len(payload):
            payload = payload[step]
        else:
            return None
    return payload


def text_at(payload: Any, *path: str | int) -> str:
    """The string there, or the number as a string; "" for anything else."""
    found = dig(payload, *path)
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def id_at(payload: Any, *path: str | int) -> str | None:
    """An id there, at most 128 characters; None when there is none."""
    return text_at(payload, *path)[:MAX_ID] or None


def list_at(payload: Any, *path: str | int) -> list[Any]:
    """The list there; empty for anything else."""
    found = dig(payload, *path)
    return found if isinstance(found, list) else []


def json_in(text: str) -> Any:
    """JSON inside a string; None when it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def moment(seconds: Any) -> datetime | None:
    """Seconds since 1970, as a number or digits, in UTC; None for what is no time of this or the next century."""
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit() and len(seconds) <= 16:
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not FIRST <= seconds <= LAST:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def moment_ms(milliseconds: Any) -> datetime | None:
    """The same of milliseconds."""
    if isinstance(milliseconds, str) and milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) <= 16:
        milliseconds = int(milliseconds)
    return moment(milliseconds / 1000) if isinstance(milliseconds, int | float) else None


def joined(parts: Iterable[str]) -> str:
    """The parts that hold anything, a line each."""
    return "\n".join(part for part in parts if part)


def is_agent(sender: str, settings: HookSettings) -> bool:
    """Whether `settings.agents` names the sender; everybody where it names nobody."""
    return not settings.agents or any(fnmatchcase(sender, pattern) for pattern in settings.agents)
