"""Rocket.Chat: outgoing webhooks and the omnichannel webhook, both after the message. Before it only code that the customer
installs can ask; docs/how-to/connect-a-chat-server.md shows it.

Sources: RocketChat/Rocket.Chat, integrations/server/lib/triggerHandler.ts, livechat/server/lib/webhooks.ts, hooks/sendToCRM.ts.
"""

from __future__ import annotations

from typing import Any

from service.api.hooks.parts import iso, version_id
from service.api.hooks.payload import dig, id_at, is_agent, list_at, text_at
from service.api.hooks.proofs import json_object, require
from service.api.hooks.tool import Call, HookSettings, Incoming, Reading, TokenSecret, Tool

HEADER = "x-rocketchat-livechat-token"


def verify(call: Call, secret: TokenSecret, settings: HookSettings) -> dict[str, Any]:
    if HEADER in call.headers:
        require(call.headers[HEADER], secret.value, "header X-RocketChat-Livechat-Token")
        return json_object(call.body)
    payload = json_object(call.body)
    require(text_at(payload, "token"), secret.value, "field token")
    return payload


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    if isinstance(dig(payload, "messages"), list):
        return read_omnichannel(payload, settings)
    if not text_at(payload, "message_id"):
        return Reading(ignored="unknown event")
    if dig(payload, "bot") not in (False, None):
        return Reading(ignored="bot")
    sender, name = text_at(payload, "user_id"), text_at(payload, "user_name")
    if not (is_agent(sender, settings) or is_agent(name, settings)):
        return Reading(ignored="customer")
    text, number, edited = text_at(payload, "text"), text_at(payload, "message_id"), bool(dig(payload, "isEdited"))
    message = Incoming(
        text=text,
        agent_id=sender or name,
        delivery_id=version_id(number, text) if edited else number,
        conversation_id=id_at(payload, "channel_id"),
        message_id=number,
        sent_at=iso(dig(payload, "timestamp")),
        is_edit=edited,
    )
    return Reading(messages=(message,))


def read_omnichannel(payload: Any, settings: HookSettings) -> Reading:
    """Messages of a live chat; those of an agent bear an `agentId`."""
    if text_at(payload, "type") != "Message":
        return Reading(ignored="unknown event")
    said = [each for each in list_at(payload, "messages") if text_at(each, "agentId")]
    own = [each for each in said if is_agent(text_at(each, "agentId"), settings) or is_agent(name_of(each), settings)]
    messages = tuple(
        Incoming(
            text=text_at(each, "msg"),
            agent_id=text_at(each, "agentId"),
            delivery_id=version_id(text_at(each, "_id"), text_at(each, "msg")),
            conversation_id=id_at(payload, "_id"),
            customer_id=id_at(payload, "visitor", "_id"),
            message_id=id_at(each, "_id"),
            sent_at=iso(dig(each, "ts")),
            uninspected=("file: not inspected",) if dig(each, "file") or dig(each, "fileUpload") else (),
        )
        for each in own
    )
    return Reading(messages=messages, ignored=None if messages else "customer")


def name_of(message: Any) -> str:
    return text_at(message, "username")


def sample(text: str) -> dict[str, Any]:
    return {
        "token": "",
        "bot": False,
        "channel_id": "GENERAL",
        "message_id": "4f0c",
        "timestamp": "2026-03-01T04:00:00Z",
        "user_id": "u1",
        "user_name": "agent_1",
        "text": text,
    }


TOOL = Tool(
    provider="rocketchat",
    delivery="after",
    deadline_ms=1500,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("the fields of visitor, agent and files in the omnichannel webhook",),
)
