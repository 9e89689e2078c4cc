"""Intercom: notifications of admins' replies, several parts at a time, in HTML.

Sources: developers.intercom.com, webhooks; intercom/Intercom-OpenAPI (redact); intercom-client (reply with a note).
"""

from __future__ import annotations

from html import escape
from typing import Any

import httpx

from service.api.hooks.html import pictures_of, text_of
from service.api.hooks.notes import FollowUpSettings, note_of, path, required, send, wants_note, wants_retraction
from service.api.hooks.parts import sort_media
from service.api.hooks.payload import dig, id_at, is_agent, list_at, moment, text_at
from service.api.hooks.proofs import hmac_hex, json_object, require
from service.api.hooks.tool import Call, Checked, HookSettings, Incoming, Reading, TokenSecret, Tool

TOPICS = {"conversation.admin.noted": "private note", "conversation.user.created": "customer"}
READ_BY_CUSTOMERS = frozenset({"comment", "open", "close", "quick_reply"})
"""Kinds of part; an assignment's text is for the team."""


class IntercomSecret(TokenSecret, frozen=True, forbid_unknown_fields=True):
    """`value` is the app's client secret; its access token is for notes and retractions."""

    api_token: str | None = None


class IntercomSettings(FollowUpSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    api_base: str = "https://api.intercom.io"
    note_admin_id: str = ""
    """Whose name notes bear; empty: that of the agent who wrote."""


def verify(call: Call, secret: IntercomSecret, settings: HookSettings) -> dict[str, Any]:
    expected = "sha1=" + hmac_hex(secret.value, call.body, "sha1")
    require(call.headers.get("x-hub-signature"), expected, "header X-Hub-Signature")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: IntercomSettings) -> Reading:
    topic, item = text_at(payload, "topic"), dig(payload, "data", "item")
    if topic == "conversation.admin.replied":
        parts = [part for part in list_at(item, "conversation_parts", "conversation_parts") if _is_public(part)]
    elif topic == "conversation.admin.single.created":
        parts = [dig(item, "source")]
    else:
        customer = "customer" if topic.startswith("conversation.user.") else "unknown event"
        return Reading(ignored=TOPICS.get(topic, "ping" if topic == "ping" else customer))
    # The product's own bot is an author of type `bot`.
    written = [part for part in parts if text_at(part, "author", "type") == "admin" and not dig(part, "redacted")]
    if not written:
        return Reading(ignored="bot" if parts else "private note")
    messages = tuple(
        _message(part, item, topic) for part in written if is_agent(text_at(part, "author", "id"), settings)
    )
    return Reading(messages=messages, ignored=None if messages else "customer")


def _is_public(part: Any) -> bool:
    return text_at(part, "part_type") in READ_BY_CUSTOMERS and bool(dig(part, "body") or dig(part, "attachments"))


def _message(part: Any, item: Any, topic: str) -> Incoming:
    body = text_at(part, "body")
    attached = [(dig(each, "content_type"), dig(each, "url")) for each in list_at(part, "attachments")]
    pictures, rest = sort_media([*(("image", url) for url in pictures_of(body)), *attached])
    is_part = topic == "conversation.admin.replied"
    return Incoming(
        text=text_of(body),
        agent_id=text_at(part, "author", "id"),
        # A part may stand in several notifications, so its own id says what was seen.
        delivery_id=f"{'part' if is_part else 'source'}:{text_at(item, 'id')}:{text_at(part, 'id')}",
        conversation_id=id_at(item, "id"),
        customer_id=id_at(item, "contacts", "contacts", 0, "id"),
        message_id=id_at(part, "id"),
        sent_at=moment(dig(part, "created_at")),
        image_urls=pictures,
        uninspected=rest,
        # The first message of a conversation can be redacted only where a contact wrote it.
        reference={"can_be_redacted": is_part},
    )


async def follow_up(
    checked: Checked, secret: IntercomSecret, settings: IntercomSettings, client: httpx.AsyncClient
) -> None:
    message, base = checked.message, settings.api_base.rstrip("/")
    headers = {"Authorization": f"Bearer {required(secret.api_token, 'api_token')}"}
    if wants_retraction(checked, settings) and message.reference["can_be_redacted"]:
        part = {"conversation_id": message.conversation_id, "conversation_part_id": message.message_id}
        redact = {"type": "conversation_part", **part}
        await send(client, "POST", f"{base}/conversations/redact", headers=headers, json=redact)
    if wants_note(checked, settings):
        body = escape(note_of(checked)).replace("\n", "<br>")
        admin = settings.note_admin_id or message.agent_id
        note = {"message_type": "note", "type": "admin", "admin_id": admin, "body": body}
        url = base + path("/conversations/{id}/reply", id=message.conversation_id)
        await send(client, "POST", url, headers=headers, json=note)


def sample(text: str) -> dict[str, Any]:
    part = {"id": "1", "part_type": "comment", "body": f"<p>{escape(text)}</p>", "author": {"type": "admin", "id": "1"}}
    item = {"id": "1", "conversation_parts": {"conversation_parts": [part]}}
    return {"id": "notif_1", "topic": "conversation.admin.replied", "data": {"item": item}}


TOOL = Tool(
    provider="intercom",
    delivery="after",
    deadline_ms=4_000,
    secret=IntercomSecret,
    settings=IntercomSettings,
    verify=verify,
    read=read,
    follow_up=follow_up,
    sample=sample,
    experimental=("that 410 ends the subscription", "which kinds of part customers read besides comments"),
)
