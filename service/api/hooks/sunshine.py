"""Sunshine Conversations, which is Zendesk messaging: a list of events per call, proved by a shared key.

Sources: docs.smooch.io, receiving messages; zendesk/sunshine-conversations-javascript.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx

from service.api.hooks.notes import FollowUpSettings, path, required, send, wants_retraction
from service.api.hooks.parts import iso, sort_media
from service.api.hooks.payload import dig, id_at, is_agent, joined, list_at, text_at
from service.api.hooks.proofs import json_object, require
from service.api.hooks.tool import Call, Checked, HookSettings, Incoming, Reading, TokenSecret, Tool

MESSAGE = "/v2/apps/{app}/conversations/{conversation}/messages/{message}"


class SunshineSecret(TokenSecret, frozen=True, forbid_unknown_fields=True):
    """`value` is the webhook's shared secret. The pair of an API key is for retractions."""

    api_key_id: str | None = None
    api_key_secret: str | None = None


class SunshineSettings(FollowUpSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    api_base: str = "https://api.smooch.io"


def verify(call: Call, secret: SunshineSecret, settings: HookSettings) -> dict[str, Any]:
    require(call.headers.get("x-api-key"), secret.value, "header X-API-Key")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: SunshineSettings) -> Reading:
    found = [_read_event(event, text_at(payload, "app", "id"), settings) for event in list_at(payload, "events")]
    messages = tuple(each for each in found if isinstance(each, Incoming))
    reasons = [each for each in found if isinstance(each, str)]
    return Reading(messages=messages, ignored=None if messages else (reasons or ["unknown event"])[0])


def _read_event(event: Any, app: str, settings: HookSettings) -> Incoming | str:
    """The message, or why there is none to check."""
    if text_at(event, "type") != "conversation:message":
        return "unknown event"
    message = dig(event, "payload", "message")
    if text_at(message, "author", "type") != "business":
        return "customer"
    # The business is an agent or a bot; bots say so in where they write from, or as a kind of author.
    if "bot" in text_at(message, "source", "type").lower() or "AI" in list_at(message, "author", "subtypes"):
        return "bot"
    agent = text_at(message, "author", "userId") or text_at(message, "author", "displayName")
    if not is_agent(agent, settings):
        return "customer"
    content = dig(message, "content")
    pictures, rest = sort_media(_media(content))
    return Incoming(
        text=joined(_texts(content)),
        agent_id=agent,
        delivery_id=text_at(event, "id") or text_at(message, "id"),
        conversation_id=id_at(event, "payload", "conversation", "id"),
        message_id=id_at(message, "id"),
        sent_at=iso(dig(message, "received")),
        image_urls=pictures,
        uninspected=rest,
        reference={"app": app},
    )


def _texts(content: Any) -> Iterator[str]:
    """All that is read in a message of any type: its text, its buttons, the cards of a carousel."""
    yield text_at(content, "text")
    for card in list_at(content, "items"):
        yield text_at(card, "title")
        yield text_at(card, "description")
        yield from (text_at(action, "text") for action in list_at(card, "actions"))
    yield from (text_at(action, "text") for action in list_at(content, "actions"))


def _media(content: Any) -> Iterator[tuple[Any, Any]]:
    if text_at(content, "mediaUrl"):
        yield dig(content, "mediaType") or dig(content, "type"), dig(content, "mediaUrl")
    for card in list_at(content, "items"):
        if text_at(card, "mediaUrl"):
            yield "image", dig(card, "mediaUrl")


async def follow_up(
    checked: Checked, secret: SunshineSecret, settings: SunshineSettings, client: httpx.AsyncClient
) -> None:
    """Only takes back: a conversation of this API has no private side."""
    if not wants_retraction(checked, settings):
        return
    pair = f"{required(secret.api_key_id, 'api_key_id')}:{required(secret.api_key_secret, 'api_key_secret')}"
    message = checked.message
    parts = {"app": message.reference["app"], "conversation": message.conversation_id, "message": message.message_id}
    headers = {"Authorization": "Basic " + b64encode(pair.encode()).decode()}
    await send(client, "DELETE", settings.api_base.rstrip("/") + path(MESSAGE, **parts), headers=headers)


def sample(text: str) -> dict[str, Any]:
    message = {
        "id": "1",
        "author": {"type": "business", "displayName": "agent"},
        "content": {"type": "text", "text": text},
    }
    event = {"id": "1", "type": "conversation:message", "payload": {"conversation": {"id": "1"}, "message": message}}
    return {"app": {"id": "1"}, "events": [event]}


TOOL = Tool(
    provider="sunshine",
    delivery="after",
    deadline_ms=8_000,
    secret=SunshineSecret,
    settings=SunshineSettings,
    verify=verify,
    read=read,
    follow_up=follow_up,
    sample=sample,
    experimental=("the name of the header with the shared secret", "how bots are told from agents"),
)
