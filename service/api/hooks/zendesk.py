"""Zendesk Support: event webhooks, and trigger webhooks with the body that our documentation gives.

Sources: developer.zendesk.com, webhooks, verifying and ticket events; ticket comments `make_private`.
"""

from __future__ import annotations

from base64 import b64encode
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
from service.api.hooks.proofs import hmac_base64, json_object, require, require_fresh
from service.api.hooks.tool import Call, Checked, Forged, Incoming, Reading, TokenSecret, Tool

COMMENT_ADDED = "zen:event-type:ticket.comment_added"
TIMESTAMP = "x-zendesk-webhook-signature-timestamp"


class ZendeskSecret(TokenSecret, frozen=True, forbid_unknown_fields=True):
    """`value` signs, as the text that it is shown as. The e-mail and API token are for notes and retractions."""

    api_email: str | None = None
    api_token: str | None = None


class ZendeskSettings(FollowUpSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    api_base: str = ""
    """Such as https://shop.zendesk.com."""


def verify(call: Call, secret: ZendeskSecret, settings: ZendeskSettings) -> dict[str, Any]:
    sent = call.headers.get(TIMESTAMP, "")
    expected = hmac_base64(secret.value, sent.encode() + call.body)
    require(call.headers.get("x-zendesk-webhook-signature"), expected, "header X-Zendesk-Webhook-Signature")
    moment = iso(sent)
    if moment is None:
        raise Forged("header X-Zendesk-Webhook-Signature-Timestamp is missing or no time")
    require_fresh(call.now, moment.timestamp(), "header X-Zendesk-Webhook-Signature-Timestamp")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: ZendeskSettings) -> Reading:
    if "ticket_id" in payload:
        return _from_trigger(payload, settings)
    if text_at(payload, "type") != COMMENT_ADDED:
        return Reading(ignored="unknown event")
    comment = dig(payload, "event", "comment")
    text, author = text_at(comment, "body"), text_at(comment, "author", "id")
    if dig(comment, "is_public") is not True:
        return Reading(ignored=private_reason(text))
    if dig(comment, "author", "is_staff") is not True or not is_agent(author, settings):
        return Reading(ignored="customer")
    pictures, rest = sort_media(
        (dig(each, "content_type"), dig(each, "content_url")) for each in list_at(comment, "attachments")
    )
    message = Incoming(
        text=text,
        agent_id=author,
        # Of the body, which the signature covers; the invocation's id is a header, which it does not.
        delivery_id=text_at(payload, "id") or version_id(text_at(comment, "id"), text),
        conversation_id=id_at(payload, "detail", "id"),
        customer_id=id_at(payload, "detail", "requester_id"),
        message_id=id_at(comment, "id"),
        sent_at=iso(dig(payload, "time")),
        image_urls=pictures,
        uninspected=rest,
    )
    return Reading(messages=(message,))


def _from_trigger(payload: Any, settings: ZendeskSettings) -> Reading:
    text, agent = text_at(payload, "comment", "body"), text_at(payload, "agent")
    if not is_agent(agent, settings):
        return Reading(ignored="customer")
    ticket, comment = text_at(payload, "ticket_id"), text_at(payload, "comment", "id")
    message = Incoming(
        text=text,
        agent_id=agent,
        delivery_id=comment or version_id(ticket, text),
        conversation_id=ticket or None,
        message_id=comment or None,
    )
    return Reading(messages=(message,))


async def follow_up(
    checked: Checked, secret: ZendeskSecret, settings: ZendeskSettings, client: httpx.AsyncClient
) -> None:
    email, token = required(secret.api_email, "api_email"), required(secret.api_token, "api_token")
    headers = {"Authorization": "Basic " + b64encode(f"{email}/token:{token}".encode()).decode()}
    base = required(settings.api_base, "api_base").rstrip("/")
    url = base + path("/api/v2/tickets/{ticket}", ticket=checked.message.conversation_id)
    if wants_retraction(checked, settings) and checked.message.message_id:
        hide = path(url + "/comments/{comment}/make_private", comment=checked.message.message_id)
        await send(client, "PUT", hide, headers=headers)
    if wants_note(checked, settings):
        note = {"ticket": {"comment": {"body": note_of(checked), "public": False}}}
        await send(client, "PUT", url, headers=headers, json=note)


def sample(text: str) -> dict[str, Any]:
    comment = {"id": "1", "body": text, "is_public": True, "author": {"id": "1", "is_staff": True}}
    return {"type": COMMENT_ADDED, "id": "1", "detail": {"id": "1"}, "event": {"comment": comment}}


TOOL = Tool(
    provider="zendesk",
    delivery="after",
    deadline_ms=8_000,
    secret=ZendeskSecret,
    settings=ZendeskSettings,
    verify=verify,
    read=read,
    follow_up=follow_up,
    sample=sample,
    experimental=(
        "what it waits and how often it tries again",
        "retracting by `make_private`",
        "the trigger's placeholders",
    ),
)
