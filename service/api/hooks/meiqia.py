"""Meiqia (美洽): the push for customers who are offline, so it does not see every message.

Source: Meiqia/MeiqiaSDK-Push-Signature-Example, with the vendor's own vectors.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from service.api.hooks.parts import BEIJING, iso, sort_media
from service.api.hooks.payload import dig, id_at, is_agent, text_at
from service.api.hooks.proofs import hmac_hex, json_object, require
from service.api.hooks.tool import Call, HookSettings, Incoming, Reading, TokenSecret, Tool

TEXT = frozenset({"text", ""})


def verify(call: Call, secret: TokenSecret, settings: HookSettings) -> dict[str, Any]:
    # Base64 of the digest's hex, not of the digest.
    expected = "meiqia_sign:" + b64encode(hmac_hex(secret.value, call.body, "sha1").encode()).decode()
    require(call.headers.get("authorization"), expected, "header Authorization")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    if not text_at(payload, "messageId"):
        return Reading(ignored="unknown event")
    # Only agents' messages are pushed; they have a name and no id.
    agent, kind, content = text_at(payload, "fromName"), text_at(payload, "contentType"), text_at(payload, "content")
    if not is_agent(agent, settings):
        return Reading(ignored="customer")
    pictures, rest = sort_media([] if kind in TEXT else [(kind, content)])
    message = Incoming(
        text=content if kind in TEXT else "",
        agent_id=agent,
        delivery_id=text_at(payload, "messageId"),
        conversation_id=id_at(payload, "clientId"),
        customer_id=id_at(payload, "clientId"),
        message_id=id_at(payload, "messageId"),
        sent_at=iso(dig(payload, "messageTime"), BEIJING),
        image_urls=pictures,
        uninspected=rest,
    )
    return Reading(messages=(message,))


def sample(text: str) -> dict[str, Any]:
    return {"messageId": "1", "clientId": "1", "fromName": "agent", "contentType": "text", "content": text}


TOOL = Tool(
    provider="meiqia",
    delivery="after",
    deadline_ms=4_000,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("the webhook of tickets, which is not read", "that times are Beijing's"),
)
