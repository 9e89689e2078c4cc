"""LiveChat (text.com): events with the webhook's secret in the body, which therefore must never be logged.

Source: platform.text.com, webhooks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from service.api.hooks.notes import private_reason
from service.api.hooks.parts import iso, sort_media, version_id
from service.api.hooks.payload import dig, id_at, is_agent, joined, list_at, text_at
from service.api.hooks.proofs import json_object, require
from service.api.hooks.tool import Call, HookSettings, Incoming, Reading, TokenSecret, Tool

ACTIONS = frozenset({"incoming_event", "event_updated"})
KINDS = frozenset({"message", "rich_message", "file"})


def verify(call: Call, secret: TokenSecret, settings: HookSettings) -> dict[str, Any]:
    payload = json_object(call.body)
    require(text_at(payload, "secret_key"), secret.value, "`secret_key` of the body")
    return {name: value for name, value in payload.items() if name != "secret_key"}


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    action, event = text_at(payload, "action"), dig(payload, "payload", "event")
    kind = text_at(event, "type")
    if action not in ACTIONS:
        return Reading(ignored="unknown event")
    if kind not in KINDS:
        return Reading(ignored="system" if kind == "system_message" else "unknown event")
    text = joined(_texts(event))
    if text_at(event, "visibility") not in ("all", ""):
        return Reading(ignored=private_reason(text))
    author, is_edit = text_at(event, "author_id"), action == "event_updated"
    # Agents are known by their e-mail address, customers and bots by an id.
    if "@" not in author or not is_agent(author, settings):
        return Reading(ignored="customer")
    pictures, rest = sort_media(_media(event))
    id_of_event = text_at(event, "id")
    message = Incoming(
        text=text,
        agent_id=author,
        delivery_id=version_id(id_of_event, text) if is_edit else id_of_event,
        conversation_id=id_at(payload, "payload", "chat_id"),
        message_id=id_of_event or None,
        sent_at=iso(dig(event, "created_at")),
        image_urls=pictures,
        uninspected=rest,
        is_edit=is_edit,
    )
    return Reading(messages=(message,))


def _texts(event: Any) -> Iterator[str]:
    yield text_at(event, "text")
    for card in list_at(event, "elements"):
        yield text_at(card, "title")
        yield text_at(card, "subtitle")
        yield from (text_at(button, "text") for button in list_at(card, "buttons"))


def _media(event: Any) -> Iterator[tuple[Any, Any]]:
    if text_at(event, "type") == "file":
        yield dig(event, "content_type"), dig(event, "url")
    for card in list_at(event, "elements"):
        if text_at(card, "image", "url"):
            yield "image", dig(card, "image", "url")


def sample(text: str) -> dict[str, Any]:
    event = {"id": "1_1", "type": "message", "text": text, "author_id": "agent@example.com", "visibility": "all"}
    return {"action": "incoming_event", "payload": {"chat_id": "1", "event": event}}


TOOL = Tool(
    provider="livechat",
    delivery="after",
    deadline_ms=4_000,
    verify=verify,
    read=read,
    sample=sample,
    experimental=(
        "that an e-mail address as author means an agent",
        "the values of `visibility`",
        "how often it tries again",
    ),
)
