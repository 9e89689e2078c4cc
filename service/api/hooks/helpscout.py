"""Help Scout: a conversation with its threads, for each reply of an agent.

Sources: developer.helpscout.com, webhooks; pypi/warehouse, which receives them.
"""

from __future__ import annotations

from html import escape
from typing import Any

from service.api.hooks.html import pictures_of, text_of
from service.api.hooks.parts import iso, sort_media
from service.api.hooks.payload import dig, id_at, is_agent, list_at, text_at
from service.api.hooks.proofs import hmac_base64, json_object, require
from service.api.hooks.tool import Call, HookSettings, Incoming, Reading, TokenSecret, Tool

REPLY = "convo.agent.reply.created"
EVENTS = {
    "convo.customer.reply.created": "customer",
    "convo.note.created": "private note",
    "beacon.chat.customer.replied": "customer",
}
READ_BY_CUSTOMERS = frozenset({"message", "reply", "chat"})


def verify(call: Call, secret: TokenSecret, settings: HookSettings) -> dict[str, Any]:
    expected = hmac_base64(secret.value, call.body, "sha1")
    require(call.headers.get("x-helpscout-signature"), expected, "header X-HelpScout-Signature")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    event = call.headers.get("x-helpscout-event", REPLY)
    if event != REPLY:
        return Reading(ignored=EVENTS.get(event, "unknown event"))
    threads = [each for each in list_at(payload, "_embedded", "threads") if _is_reply(each)]
    if not threads:
        return Reading(ignored="private note")
    # The event is of the newest; those before it had events of their own, or were written before we were connected.
    thread = max(threads, key=lambda each: text_at(each, "createdAt"))
    agent = text_at(thread, "createdBy", "id")
    if not is_agent(agent, settings):
        return Reading(ignored="customer")
    body = text_at(thread, "body")
    attached = list_at(thread, "_embedded", "attachments")
    media = [(dig(each, "mimeType"), dig(each, "_links", "web", "href")) for each in attached]
    pictures, rest = sort_media([*(("image", url) for url in pictures_of(body)), *media])
    message = Incoming(
        text=text_of(body),
        agent_id=agent,
        delivery_id=text_at(thread, "id"),
        conversation_id=id_at(payload, "id"),
        customer_id=id_at(payload, "createdBy", "id"),
        message_id=id_at(thread, "id"),
        sent_at=iso(dig(thread, "createdAt")),
        image_urls=pictures,
        uninspected=rest,
    )
    return Reading(messages=(message,))


def _is_reply(thread: Any) -> bool:
    return (
        text_at(thread, "createdBy", "type") == "user"
        and text_at(thread, "type") in READ_BY_CUSTOMERS
        and text_at(thread, "state") in ("published", "")
    )


def sample(text: str) -> dict[str, Any]:
    thread = {
        "id": 1,
        "type": "message",
        "state": "published",
        "body": escape(text),
        "createdBy": {"id": 1, "type": "user"},
    }
    return {"id": 1, "_embedded": {"threads": [thread]}}


TOOL = Tool(
    provider="helpscout",
    delivery="after",
    deadline_ms=4_000,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("which threads the body holds and their fields", "how often it tries again"),
)
