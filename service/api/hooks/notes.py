"""What we leave in a helpdesk after the fact: the settings that switch it on, the note's words, and who is told."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from service.api.hooks.payload import joined
from service.api.hooks.tool import Checked, HookSettings

MARK = "〔慎言 Shenyan〕"
"""Begins each note of ours. It counts only on what the tool itself calls private: an agent could type it."""
GONE = frozenset({404, 410})


class NotSetUp(Exception):
    """What a note, a retraction or a fetch needs is not configured, or not allowed. Not tried again."""


class Refused(httpx.HTTPError):
    """The API answered with a success in HTTP and an error in its own words. Tried again."""


class FollowUpSettings(HookSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For tools with an API. Both are off unless asked for; they need the API's token in the secret."""

    note: bool = False
    """Leave a private note for the team at a warning and at a block."""
    retract: bool = False
    """Take a message back that would have been blocked. The customer may have read it."""


def note_of(checked: Checked) -> str:
    """The note's text, without markup."""
    return joined((f"{MARK} {checked.agent_message}", checked.suggestion))


def private_reason(text: str) -> str:
    """Why a private message is ignored."""
    return "own note" if text.lstrip().startswith(MARK) else "private note"


def wants_note(checked: Checked, settings: FollowUpSettings) -> bool:
    return settings.note and checked.action != "allow"


def wants_retraction(checked: Checked, settings: FollowUpSettings) -> bool:
    return settings.retract and checked.action == "block"


def required(value: str | None, name: str) -> str:
    """The value. Raises NotSetUp when it is missing."""
    if not value:
        raise NotSetUp(f"`{name}` is not set")
    return value


def path(template: str, **parts: Any) -> str:
    """An address with each part quoted, so that an id can't lead anywhere else."""
    return template.format(**{name: quote(str(part), safe="") for name, part in parts.items()})


async def send(client: httpx.AsyncClient, method: str, url: str, **options: Any) -> httpx.Response:
    """The answer. Raises httpx.HTTPStatusError unless it is a 2xx; deleting what is gone has succeeded."""
    response = await client.request(method, url, **options)
    if not (method == "DELETE" and response.status_code in GONE):
        response.raise_for_status()
    return response
