"""Mattermost: outgoing webhooks of public channels, after the message. Before it only a plugin that the customer installs
can ask; docs/how-to/connect-a-chat-server.md shows it.

Source: mattermost/mattermost, server/public/model/outgoing_webhook.go.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from service.api.hooks.payload import dig, id_at, is_agent, moment, moment_ms, text_at
from service.api.hooks.proofs import json_object, require
from service.api.hooks.tool import Call, HookSettings, Incoming, Reading, TokenSecret, Tool
from service.errors import BadRequest

MAX_FIELDS = 100
FORM = "application/x-www-form-urlencoded"


def verify(call: Call, secret: TokenSecret, settings: HookSettings) -> dict[str, Any]:
    payload = form(call.body) if call.headers.get("content-type", "").startswith(FORM) else json_object(call.body)
    require(text_at(payload, "token"), secret.value, "field token")
    return payload


def form(body: bytes) -> dict[str, Any]:
    """Raises BadRequest for what is no form. Its times are seconds, those of JSON milliseconds."""
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))
    except ValueError:
        raise BadRequest("The body is not a form in UTF-8.") from None
    return fields | {"sent_seconds": fields.get("timestamp")}


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    sender, name, post = text_at(payload, "user_id"), text_at(payload, "user_name"), text_at(payload, "post_id")
    if not post:
        return Reading(ignored="unknown event")
    if not (is_agent(sender, settings) or is_agent(name, settings)):
        return Reading(ignored="customer")
    seconds = dig(payload, "sent_seconds")
    message = Incoming(
        text=text_at(payload, "text"),
        agent_id=sender or name,
        delivery_id=post,
        conversation_id=id_at(payload, "channel_id"),
        message_id=id_at(payload, "post_id"),
        sent_at=moment(seconds) if seconds else moment_ms(dig(payload, "timestamp")),
        uninspected=("file: not inspected",) if text_at(payload, "file_ids") else (),
    )
    return Reading(messages=(message,))


def sample(text: str) -> dict[str, Any]:
    return {
        "token": "",
        "channel_id": "c1",
        "timestamp": 1_772_337_600_000,
        "user_id": "u1",
        "user_name": "agent_1",
        "post_id": "4f0c",
        "text": text,
        "file_ids": "",
    }


TOOL = Tool(
    provider="mattermost",
    delivery="after",
    deadline_ms=1500,
    verify=verify,
    read=read,
    sample=sample,
)
