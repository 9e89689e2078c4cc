"""Easemob, sold abroad as Agora Chat: the callback before a message is sent, and the one after.

Sources: easemob/easemob-doc, docs/document/server-side/callback_presending.md, callback_postsending.md.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from service.api.hooks.answers import blocked, masked_parts, refusal
from service.api.hooks.payload import dig, id_at, is_agent, joined, list_at, moment_ms, text_at
from service.api.hooks.proofs import json_object, number, require, require_fresh
from service.api.hooks.tool import Call, Checked, HookSettings, Incoming, Reading, Reply, TokenSecret, Tool

MAX_ANSWER = 1000
MAX_PAYLOAD = 1024
KINDS = frozenset({"chat", "group", "chatroom", "groupchat"})
WITHOUT_TEXT = {"audio": "voice", "video": "video", "file": "file", "combine": "forwarded"}


class EasemobSettings(HookSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    shop_field: str | None = None
    """The field of `payload.ext` that names the shop; unset: the connection's shop."""


def verify(call: Call, secret: TokenSecret, settings: EasemobSettings) -> dict[str, Any]:
    payload = json_object(call.body)
    call_id, sent = text_at(payload, "callId"), text_at(payload, "timestamp")
    # The tool's own choice of MD5.
    expected = hashlib.md5(f"{call_id}{secret.value}{sent}".encode(), usedforsecurity=False).hexdigest()
    require(text_at(payload, "security"), expected, "field security")
    require_fresh(call.now, number(sent, "field timestamp") / 1000, "field timestamp")
    return payload


def read(payload: Any, call: Call, settings: EasemobSettings) -> Reading:
    kind, bodies = text_at(payload, "chat_type"), list_at(payload, "payload", "bodies")
    if kind not in KINDS or not bodies:
        return Reading(ignored="unknown event")
    sender, to, group = text_at(payload, "from"), text_at(payload, "to"), text_at(payload, "group_id")
    if not is_agent(sender, settings):
        return Reading(ignored="customer")
    if kind != "chat":
        group = group or to
    message = Incoming(
        text=joined(map(words, bodies)),
        agent_id=sender,
        delivery_id=text_at(payload, "callId"),
        id_is_signed=True,
        conversation_id=group if kind != "chat" else f"{sender}|{to}",
        customer_id=to or None if kind == "chat" else None,
        message_id=id_at(payload, "msg_id"),
        sent_at=moment_ms(dig(payload, "timestamp")),
        shop_id=id_at(payload, "payload", "ext", settings.shop_field) if settings.shop_field else None,
        image_urls=tuple(
            text_at(each, "url") for each in bodies if text_at(each, "type") == "img" and text_at(each, "url")
        ),
        uninspected=tuple(filter(None, map(uninspected, bodies))),
        after_delivery=text_at(payload, "eventType") in ("chat", "chat_offline"),
        reference={"payload": dig(payload, "payload")},
    )
    return Reading(messages=(message,))


def words(body: Any) -> str:
    """What there is to read in one part."""
    if text_at(body, "type") == "custom":
        extras = dig(body, "customExts")
        values = list(extras.values()) if isinstance(extras, dict) else list_at(body, "customExts")
        return joined([text_at(body, "customEvent"), *(text_at(value) for value in values)])
    return joined(text_at(body, name) for name in ("msg", "addr", "filename", "title", "summary"))


def uninspected(body: Any) -> str:
    kind = text_at(body, "type")
    if kind == "img":
        return "" if text_at(body, "url") else "image: not inspected"
    return f"{WITHOUT_TEXT[kind]}: not inspected" if kind in WITHOUT_TEXT else ""


def answer(checked: tuple[Checked, ...], call: Call, settings: EasemobSettings) -> Reply:
    if (refused := blocked(checked)) is None:
        return Reply(content={"valid": True})
    payload = refused.message.reference.get("payload") or {}
    if (rewritten := masked_payload(checked, payload)) is not None:
        return Reply(content={"valid": True, "payload": rewritten})
    refusing = {"valid": False, "code": refusal(refused, MAX_ANSWER - 100)}
    return Reply(content=refusing)


def masked_payload(checked: tuple[Checked, ...], payload: dict[str, Any]) -> dict[str, Any] | None:
    """The message with asterisks, where all its words stand in text parts and it is short enough to be taken back."""
    bodies = list_at(payload, "bodies")
    masked = masked_parts(checked, [words(each) for each in bodies])
    if masked is None or any(text_at(each, "type") != "txt" and words(each) for each in bodies):
        return None
    changed = [
        each | {"msg": text} if text_at(each, "type") == "txt" else each
        for each, text in zip(bodies, masked, strict=True)
    ]
    rewritten = payload | {"bodies": changed}
    encoded = msgspec.json.encode(rewritten)
    return rewritten if len(encoded) <= MAX_PAYLOAD and len(encoded.decode()) <= MAX_ANSWER - 100 else None


def sample(text: str) -> dict[str, Any]:
    return {
        "callId": "demo#shop_4f0c",
        "timestamp": 1_772_337_600_000,
        "chat_type": "chat",
        "group_id": "",
        "from": "agent_1",
        "to": "buyer_1",
        "msg_id": "1",
        "payload": {"ext": {}, "bodies": [{"type": "txt", "msg": text}]},
        "security": "",
    }


TOOL = Tool(
    provider="easemob",
    delivery="before",
    deadline_ms=150,
    settings=EasemobSettings,
    verify=verify,
    read=read,
    answer=answer,
    rewrites=True,
    sample=sample,
)
