"""Chatwoot: account and API-inbox webhooks, sent once after the message.

Sources: chatwoot/chatwoot `app/models/message.rb`, `webhook_listener.rb`, pull requests 13573 and 13892 (signature);
the application API's `messages/delete.yml`.
"""

from __future__ import annotations

from typing import Any

import httpx

from service.api.hooks.notes import (
    FollowUpSettings,
    note_of,
    path,
    private_reason,
    required,
    send,
    wants_note,
    wants_retraction,
)
from service.api.hooks.parts import iso, sort_media, version_id
from service.api.hooks.payload import dig, id_at, is_agent, list_at, text_at
from service.api.hooks.proofs import hmac_hex, json_object, number, require, require_fresh
from service.api.hooks.tool import Call, Checked, Incoming, Reading, TokenSecret, Tool

MESSAGES = "/api/v1/accounts/{account}/conversations/{conversation}/messages"
SENDERS = {"incoming": "customer", "activity": "system", "template": "system"}


class ChatwootSecret(TokenSecret, frozen=True, forbid_unknown_fields=True):
    """`value` signs the webhook; the token of an agent's or a bot's profile is for notes and retractions."""

    api_token: str | None = None


class ChatwootSettings(FollowUpSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    api_base: str = "https://app.chatwoot.com"


def verify(call: Call, secret: ChatwootSecret | None, settings: ChatwootSettings) -> dict[str, Any]:
    # Servers before the signature send none: then the address holds the connection's token.
    if secret is not None:
        sent = call.headers.get("x-chatwoot-timestamp", "")
        expected = "sha256=" + hmac_hex(secret.value, f"{sent}.".encode() + call.body)
        require(call.headers.get("x-chatwoot-signature"), expected, "header X-Chatwoot-Signature")
        require_fresh(call.now, number(sent, "header X-Chatwoot-Timestamp"), "header X-Chatwoot-Timestamp")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: ChatwootSettings) -> Reading:
    event, text = text_at(payload, "event"), text_at(payload, "content")
    if event not in ("message_created", "message_updated"):
        return Reading(ignored="unknown event")
    if dig(payload, "private"):
        return Reading(ignored=private_reason(text))
    if (kind := text_at(payload, "message_type")) != "outgoing":
        return Reading(ignored=SENDERS.get(kind, "unknown event"))
    if text_at(payload, "sender", "type").lower() != "user":
        return Reading(ignored="bot")
    if dig(payload, "content_attributes", "deleted"):
        return Reading(ignored="deleted")
    agent = text_at(payload, "sender", "id")
    if not is_agent(agent, settings):
        return Reading(ignored="customer")
    pictures, rest = sort_media(
        (dig(each, "file_type"), dig(each, "data_url")) for each in list_at(payload, "attachments")
    )
    number_of = text_at(payload, "id")
    message = Incoming(
        text=text,
        agent_id=agent,
        # An update also comes when nothing but the delivery status changed: that is the same wording again.
        delivery_id=version_id(number_of, text, *pictures),
        conversation_id=id_at(payload, "conversation", "id"),
        customer_id=id_at(payload, "conversation", "meta", "sender", "id"),
        message_id=number_of or None,
        sent_at=iso(dig(payload, "created_at")),
        image_urls=pictures,
        uninspected=rest,
        is_edit=event == "message_updated",
        reference={"account": text_at(payload, "account", "id")},
    )
    return Reading(messages=(message,))


async def follow_up(
    checked: Checked, secret: ChatwootSecret | None, settings: ChatwootSettings, client: httpx.AsyncClient
) -> None:
    message = checked.message
    headers = {"api_access_token": required(secret.api_token if secret else None, "api_token")}
    base = settings.api_base.rstrip("/")
    url = base + path(MESSAGES, account=message.reference["account"], conversation=message.conversation_id)
    # The retraction first: it may be done twice when the note has to be tried again.
    if wants_retraction(checked, settings):
        await send(client, "DELETE", path(url + "/{id}", id=message.message_id), headers=headers)
    if wants_note(checked, settings):
        note = {"content": note_of(checked), "message_type": "outgoing", "private": True}
        await send(client, "POST", url, headers=headers, json=note)


def sample(text: str) -> dict[str, Any]:
    return {
        "event": "message_created",
        "id": 1,
        "content": text,
        "message_type": "outgoing",
        "private": False,
        "sender": {"id": 1, "type": "user"},
        "account": {"id": 1},
        "conversation": {"id": 1},
    }


TOOL = Tool(
    provider="chatwoot",
    delivery="after",
    deadline_ms=4_000,
    secret=ChatwootSecret,
    secret_optional=True,
    settings=ChatwootSettings,
    verify=verify,
    read=read,
    follow_up=follow_up,
    sample=sample,
    experimental=("the sender type of agent bots",),
)
