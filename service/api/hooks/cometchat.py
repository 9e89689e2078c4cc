"""CometChat: webhooks with Basic authentication. `before_message` can't stop a message, so it is read like the others.

Source: cometchat.com/docs, webhooks and legacy webhooks.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from service.api.hooks.parts import sort_media, version_id
from service.api.hooks.payload import dig, id_at, is_agent, joined, list_at, moment, text_at
from service.api.hooks.proofs import json_object, require
from service.api.hooks.tool import Call, HookSettings, Incoming, Reading, TokenSecret, Tool

SENT, EDITED = frozenset({"before_message", "after_message", "message_sent"}), "message_edited"
SYSTEM = "app_system"


def verify(call: Call, secret: TokenSecret, settings: HookSettings) -> dict[str, Any]:
    """The secret is `user:password`."""
    expected = "Basic " + b64encode(secret.value.encode()).decode()
    require(call.headers.get("authorization"), expected, "header Authorization")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    trigger = text_at(payload, "trigger")
    if trigger not in SENT and trigger != EDITED:
        return Reading(ignored="unknown event")
    # The older webhooks have the message itself below `data`.
    message = dig(payload, "data", "message") or dig(payload, "data")
    agent = text_at(message, "sender")
    if text_at(message, "category") not in ("message", "") or agent == SYSTEM:
        return Reading(ignored="system")
    if not is_agent(agent, settings):
        return Reading(ignored="customer")
    text, number = (
        joined((text_at(message, "data", "text"), text_at(message, "data", "caption"))),
        text_at(message, "id"),
    )
    pictures, rest = sort_media(_media(message))
    conversation, is_edit = text_at(message, "conversationId"), trigger == EDITED
    message_of = Incoming(
        text=text,
        agent_id=agent,
        # The same message comes through several triggers; one that has no id yet is known by its words.
        delivery_id=number if number and not is_edit else version_id(number or conversation, text, *pictures),
        conversation_id=conversation or None,
        customer_id=id_at(message, "receiver") if text_at(message, "receiverType") == "user" else None,
        message_id=number or None,
        sent_at=moment(dig(message, "sentAt")),
        image_urls=pictures,
        uninspected=rest,
        is_edit=is_edit,
    )
    return Reading(messages=(message_of,))


def _media(message: Any) -> list[tuple[Any, Any]]:
    attached = list_at(message, "data", "attachments")
    if attached:
        return [(dig(each, "mimeType"), dig(each, "url")) for each in attached]
    url = dig(message, "data", "url")
    return [(text_at(message, "type"), url)] if url else []


def sample(text: str) -> dict[str, Any]:
    message = {
        "id": "1",
        "conversationId": "1",
        "sender": "1",
        "category": "message",
        "type": "text",
        "data": {"text": text},
    }
    return {"trigger": "message_sent", "data": {"message": message}}


TOOL = Tool(
    provider="cometchat",
    delivery="after",
    deadline_ms=4_000,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("that a message has an id before it is sent",),
)
