"""Front: application webhooks (SHA-256 with a time) and rule webhooks (SHA-1 of the body).

Sources: dev.frontapp.com, application webhooks, rule webhooks, security; frontapp/front-api-specs.
"""

from __future__ import annotations

from typing import Any

from service.api.hooks.html import pictures_of, text_of
from service.api.hooks.parts import sort_media
from service.api.hooks.payload import dig, id_at, is_agent, list_at, moment, text_at
from service.api.hooks.proofs import hmac_base64, json_object, number, require, require_fresh
from service.api.hooks.tool import Call, HookSettings, Incoming, Reading, Reply, TokenSecret, Tool

SENT = frozenset({"outbound", "out_reply", "outbound_sent"})
EVENTS = {"inbound": "customer", "inbound_received": "customer", "comment": "private note", "mention": "private note"}
SIGNATURE, TIMESTAMP = "header X-Front-Signature", "header X-Front-Request-Timestamp"


class FrontSecret(TokenSecret, frozen=True, forbid_unknown_fields=True):
    """`value` is the application's signing key, or the API secret where only rules call; `rule_secret` where both do."""

    rule_secret: str | None = None


def verify(call: Call, secret: FrontSecret, settings: HookSettings) -> dict[str, Any]:
    given, sent = call.headers.get("x-front-signature"), call.headers.get("x-front-request-timestamp")
    if given is None and (payload := json_object(call.body)).get("type") == "sync" and _challenge(call):
        # The handshake is answered with what it brought and nothing else is read, so it needs no proof.
        return payload
    if sent is None:
        require(given, hmac_base64(secret.rule_secret or secret.value, call.body, "sha1"), SIGNATURE)
    else:
        require(given, hmac_base64(secret.value, f"{sent}:".encode() + call.body), SIGNATURE)
        require_fresh(call.now, number(sent, TIMESTAMP) / 1000, TIMESTAMP)
    return json_object(call.body)


def _challenge(call: Call) -> str:
    return call.headers.get("x-front-challenge", "")


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    if text_at(payload, "type") == "sync":
        return Reading(ignored="sync", reply=Reply(content=_challenge(call).encode(), media_type="text/plain"))
    event = dig(payload, "payload") or payload  # a rule sends the event itself
    kind = text_at(event, "type")
    if kind not in SENT:
        named = kind or text_at(payload, "type")
        return Reading(ignored=EVENTS.get(named, "private note" if named == "new_comment_added" else "unknown event"))
    message = dig(event, "target", "data")
    if dig(message, "is_inbound") is not False:
        return Reading(ignored="customer")
    if text_at(event, "source", "_meta", "type") == "rule":
        return Reading(ignored="bot")
    agent = text_at(message, "author", "id") or text_at(event, "source", "data", "id")
    if not is_agent(agent, settings):
        return Reading(ignored="customer")
    body = text_at(message, "body")
    attached = [(dig(each, "content_type"), dig(each, "url")) for each in list_at(message, "attachments")]
    pictures, rest = sort_media([*(("image", url) for url in pictures_of(body)), *attached])
    customers = (each for each in list_at(message, "recipients") if text_at(each, "role") == "to")
    found = Incoming(
        text=text_of(body) or text_at(message, "text"),
        agent_id=agent,
        delivery_id=text_at(event, "id") or text_at(message, "id"),
        conversation_id=id_at(event, "conversation", "id"),
        customer_id=id_at(next(customers, None), "handle"),
        message_id=id_at(message, "id"),
        sent_at=moment(dig(message, "created_at")),
        image_urls=pictures,
        uninspected=rest,
    )
    return Reading(messages=(found,))


def sample(text: str) -> dict[str, Any]:
    message = {"id": "msg_1", "is_inbound": False, "author": {"id": "tea_1"}, "text": text}
    event = {"id": "evt_1", "type": "outbound", "target": {"data": message}, "conversation": {"id": "cnv_1"}}
    return {"type": "outbound_sent", "payload": event}


TOOL = Tool(
    provider="front",
    delivery="after",
    deadline_ms=4_000,
    secret=FrontSecret,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("which sources of a message are automatic",),
)
