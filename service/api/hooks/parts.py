"""What messages are made of besides text, sorted into what can be looked into and what cannot; and ISO times."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

IMAGES = frozenset({"image", "picture", "photo", "img", "animation"})
NAMED = {"audio": "voice", "voice": "voice", "video": "video", "media": "video", "sticker": "sticker"}
"""Everything else is called a file: `degraded` counts by name, and a sender must not make up names."""
BEIJING = timezone(timedelta(hours=8))
MAX_PICTURES = 10


def sort_media(media: Iterable[tuple[Any, Any]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(kind or media type, address) of each -> addresses of pictures, and the rest as it stands in `degraded`.

    A picture without a web address can't be looked into either.
    """
    pictures: list[str] = []
    rest: list[str] = []
    for kind, address in media:
        name = str(kind or "").lower().partition("/")[0]
        is_on_the_web = isinstance(address, str) and address.startswith(("https://", "http://"))
        if name in IMAGES and is_on_the_web and len(pictures) < MAX_PICTURES:
            pictures.append(address)
        else:
            rest.append(f"{'image' if name in IMAGES else NAMED.get(name, 'file')}: not inspected")
    return tuple(dict.fromkeys(pictures)), tuple(rest)


def iso(value: Any, zone: timezone | None = None) -> datetime | None:
    """A time in ISO 8601, in UTC; one without a zone is of `zone`, and None where there is no such default."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None and zone is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def version_id(message_id: str, *contents: str) -> str:
    """A delivery id of this wording: the same message again has it again, an edited one has another."""
    digest = hashlib.sha256("\0".join(contents).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{message_id}:{digest[:16]}"
