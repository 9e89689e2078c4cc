"""Freshchat: messages as lists of parts, signed with the account's RSA key.

Sources: Freshchat's documentation of webhooks; nyaruka/courier `handlers/freshchat`, whose tests hold real traffic.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from service.api.hooks.notes import private_reason
from service.api.hooks.parts import iso, sort_media
from service.api.hooks.payload import dig, id_at, is_agent, joined, list_at, text_at
from service.api.hooks.proofs import json_object
from service.api.hooks.tool import Call, Forged, HookSettings, Incoming, Reading, Tool

SENDERS = {"user": "customer", "system": "system", "bot": "bot"}
SILENT = frozenset({"text", "image", "url_button", "quick_reply_button"})


class FreshchatSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public key of the settings page, with or without its PEM lines."""

    public_key_spki_base64: str

    def __post_init__(self) -> None:
        public_key(self.public_key_spki_base64)


def public_key(shown: str) -> RSAPublicKey:
    """The key. Raises ValueError for what is none. The page calls it an RSA PUBLIC KEY, which is another format than
    what it holds: only the base64 between the lines counts.
    """
    lines = (line for line in shown.splitlines() if not line.startswith("-----"))
    key = load_der_public_key(b64decode("".join(lines)))
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def verify(call: Call, secret: FreshchatSecret, settings: HookSettings) -> dict[str, Any]:
    given = call.headers.get("x-freshchat-signature")
    if not given:
        raise Forged("header X-Freshchat-Signature is missing")
    try:
        key = public_key(secret.public_key_spki_base64)
        key.verify(b64decode(given, validate=True), call.body, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise Forged("header X-Freshchat-Signature does not fit") from None
    return json_object(call.body)


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    message = dig(payload, "data", "message")
    if text_at(payload, "action") != "message_create" or message is None:
        return Reading(ignored="unknown event")
    if (actor := text_at(payload, "actor", "actor_type").lower()) != "agent":
        return Reading(ignored=SENDERS.get(actor, "system"))
    parts = [*list_at(message, "message_parts"), *list_at(message, "reply_parts")]
    text = joined(_texts(parts))
    if text_at(message, "message_type") not in ("normal", ""):
        return Reading(ignored=private_reason(text))
    agent = text_at(payload, "actor", "actor_id")
    if not is_agent(agent, settings):
        return Reading(ignored="customer")
    pictures, rest = sort_media(_media(parts))
    found = Incoming(
        text=text,
        agent_id=agent,
        delivery_id=text_at(message, "id"),
        conversation_id=id_at(message, "conversation_id"),
        customer_id=id_at(message, "user_id"),
        message_id=id_at(message, "id"),
        sent_at=iso(dig(message, "created_time")),
        image_urls=pictures,
        uninspected=rest,
    )
    return Reading(messages=(found,))


def _texts(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        yield text_at(part, "text", "content")
        yield text_at(part, "url_button", "label")
        yield text_at(part, "quick_reply_button", "label")


def _media(parts: list[Any]) -> Iterator[tuple[Any, Any]]:
    for part in parts:
        for kind in part if isinstance(part, dict) else ():
            if kind == "image" or kind not in SILENT:
                yield kind, dig(part, kind, "url")


def sample(text: str) -> dict[str, Any]:
    message = {
        "id": "1",
        "conversation_id": "1",
        "message_type": "normal",
        "message_parts": [{"text": {"content": text}}],
    }
    actor = {"actor_type": "agent", "actor_id": "1"}
    return {"actor": actor, "action": "message_create", "data": {"message": message}}


TOOL = Tool(
    provider="freshchat",
    delivery="after",
    deadline_ms=2_000,
    secret=FreshchatSecret,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("how private messages are marked", "that it waits 3 seconds"),
)
