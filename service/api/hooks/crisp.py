"""Crisp: plugin hooks, signed; website hooks are not, and need the connection's token in the address.

Names are from the visitor's side: `message:received` is what the operator wrote. Sources: docs.crisp.chat, web hooks;
crisp-im/node-crisp-api `lib/crisp.ts`, which signs a re-dump of the parsed body.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from service.api.hooks.notes import private_reason
from service.api.hooks.parts import sort_media, version_id
from service.api.hooks.payload import dig, id_at, is_agent, joined, list_at, moment_ms, text_at
from service.api.hooks.proofs import hmac_hex, json_object, number, require, require_fresh, same
from service.api.hooks.tool import Call, HookSettings, Incoming, Reading, TokenSecret, Tool

SENT, EDITED = "message:received", "message:updated"
SIGNATURE, TIMESTAMP = "header X-Crisp-Signature", "header X-Crisp-Request-Timestamp"
MEDIA = {"file", "animation", "audio"}


def verify(call: Call, secret: TokenSecret | None, settings: HookSettings) -> dict[str, Any]:
    if secret is None:
        return json_object(call.body)
    given, sent = call.headers.get("x-crisp-signature"), call.headers.get("x-crisp-request-timestamp", "")
    if not same(given, _signature(secret.value, sent, call.body)):
        compact = json.dumps(json_object(call.body), ensure_ascii=False, separators=(",", ":"))
        require(given, _signature(secret.value, sent, compact.encode("utf-8", "surrogatepass")), SIGNATURE)
    require_fresh(call.now, number(sent, TIMESTAMP) / 1000, TIMESTAMP)
    return json_object(call.body)


def _signature(secret: str, sent: str, body: bytes) -> str:
    return hmac_hex(secret, b"[" + sent.encode() + b";" + body + b"]")


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    event, data = text_at(payload, "event"), dig(payload, "data")
    if event == "message:send" or text_at(data, "from") == "user":
        return Reading(ignored="customer")
    if event not in (SENT, EDITED) or text_at(data, "type") == "event":
        return Reading(ignored="unknown event")
    text = joined(_texts(data))
    if text_at(data, "type") == "note":
        return Reading(ignored=private_reason(text))
    if dig(data, "automated") is True:
        return Reading(ignored="bot")
    agent = text_at(data, "user", "user_id") or text_at(data, "user", "nickname")
    if not is_agent(agent, settings):
        return Reading(ignored="customer")
    pictures, rest = sort_media(_media(data))
    fingerprint, is_edit = text_at(data, "fingerprint"), event == EDITED
    message = Incoming(
        text=text,
        agent_id=agent,
        delivery_id=version_id(fingerprint, text) if is_edit else fingerprint,
        conversation_id=id_at(data, "session_id"),
        message_id=fingerprint or None,
        sent_at=moment_ms(dig(data, "timestamp")),
        image_urls=pictures,
        uninspected=rest,
        is_edit=is_edit,
    )
    return Reading(messages=(message,))


def _texts(data: Any) -> Iterator[str]:
    """Plain text, or the texts of a picker, a field or a carousel."""
    yield text_at(data, "content")
    if text_at(data, "type") not in MEDIA:
        yield text_at(data, "content", "text")
        yield from (text_at(choice, "label") for choice in list_at(data, "content", "choices"))
        for card in list_at(data, "content", "targets"):
            yield text_at(card, "title")
            yield text_at(card, "description")


def _media(data: Any) -> Iterator[tuple[Any, Any]]:
    if (kind := text_at(data, "type")) in MEDIA:
        yield (dig(data, "content", "type") or kind) if kind == "file" else kind, dig(data, "content", "url")
    for card in list_at(data, "content", "targets"):
        if text_at(card, "image"):
            yield "image", dig(card, "image")


def sample(text: str) -> dict[str, Any]:
    data = {"session_id": "1", "type": "text", "content": text, "from": "operator", "fingerprint": 1}
    return {"event": SENT, "data": {**data, "user": {"user_id": "1"}}}


TOOL = Tool(
    provider="crisp",
    delivery="after",
    deadline_ms=4_000,
    secret_optional=True,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("the value of X-Crisp-Hook-Origin", "the fields of `message:updated`"),
)
