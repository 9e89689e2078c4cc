"""Sendbird: messages of group channels. Nothing in them says who is an agent, unless the senders' metadata do.

Sources: docs.sendbird.com, business messaging; sendbird/sendbird-platform-sdk-python.
"""

from __future__ import annotations

from typing import Any

from service.api.hooks.parts import sort_media, version_id
from service.api.hooks.payload import dig, id_at, is_agent, moment_ms, text_at
from service.api.hooks.proofs import hmac_hex, json_object, require
from service.api.hooks.tool import Call, HookSettings, Incoming, Reading, TokenSecret, Tool

SENT, EDITED = "group_channel:message_send", "group_channel:message_update"
CUSTOMERS = frozenset({"customer", "buyer", "user", "visitor"})
"""Roles in the sender's metadata, which is the shop's own convention."""


def verify(call: Call, secret: TokenSecret, settings: HookSettings) -> dict[str, Any]:
    expected = hmac_hex(secret.value, call.body)
    require(call.headers.get("x-sendbird-signature"), expected, "header X-Sendbird-Signature")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    category, kind = text_at(payload, "category"), text_at(payload, "type")
    if category not in (SENT, EDITED):
        return Reading(ignored="unknown event")
    if kind == "ADMM":
        return Reading(ignored="system")
    sender, role = text_at(payload, "sender", "user_id"), text_at(payload, "sender", "metadata", "role").lower()
    if role in CUSTOMERS or not is_agent(sender, settings):
        return Reading(ignored="customer")
    if role == "bot":
        return Reading(ignored="bot")
    data = dig(payload, "payload")
    text, number = text_at(data, "message"), text_at(data, "message_id")
    media = [(dig(data, "content_type") or "file", dig(data, "url"))] if kind == "FILE" else []
    pictures, rest = sort_media(media)
    message = Incoming(
        text=text,
        agent_id=sender,
        delivery_id=version_id(number, text) if category == EDITED else number,
        conversation_id=id_at(payload, "channel", "channel_url"),
        message_id=number or None,
        sent_at=moment_ms(dig(data, "created_at")),
        image_urls=pictures,
        uninspected=rest,
        is_edit=category == EDITED,
    )
    return Reading(messages=(message,))


def sample(text: str) -> dict[str, Any]:
    data = {"message_id": 1, "message": text}
    return {
        "category": SENT,
        "type": "MESG",
        "sender": {"user_id": "1"},
        "payload": data,
        "channel": {"channel_url": "1"},
    }


TOOL = Tool(
    provider="sendbird",
    delivery="after",
    deadline_ms=4_000,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("how often it tries again", "the event of an edited message"),
)
