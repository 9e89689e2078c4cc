"""Slack Events API: messages in channels, edits among them.

Sources: docs.slack.dev, verifying requests, `message` and `message_changed`, chat.delete, chat.postEphemeral; slack_sdk.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Any

import httpx

from service.api.hooks.notes import (
    FollowUpSettings,
    NotSetUp,
    Refused,
    note_of,
    required,
    send,
    wants_note,
    wants_retraction,
)
from service.api.hooks.parts import sort_media
from service.api.hooks.payload import dig, id_at, is_agent, list_at, moment, text_at
from service.api.hooks.proofs import hmac_hex, json_object, number, require, require_fresh
from service.api.hooks.tool import Call, Checked, HookSettings, Incoming, Reading, Reply, TokenSecret, Tool

WRITTEN = frozenset({"", "file_share", "thread_broadcast", "me_message"})
"""Subtypes of what a person wrote; the others are joins, topics, bots."""
LINK = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
TIMESTAMP = "header X-Slack-Request-Timestamp"
GONE = "message_not_found"
PASSING = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})


class SlackSecret(TokenSecret, frozen=True, forbid_unknown_fields=True):
    """`value` is the signing secret. A token with chat:write is for notes; to take others' messages back it must be an
    admin's user token.
    """

    api_token: str | None = None


class SlackSettings(FollowUpSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    api_base: str = "https://slack.com/api"


def verify(call: Call, secret: SlackSecret, settings: HookSettings) -> dict[str, Any]:
    sent = call.headers.get("x-slack-request-timestamp", "")
    expected = "v0=" + hmac_hex(secret.value, f"v0:{sent}:".encode() + call.body)
    require(call.headers.get("x-slack-signature"), expected, "header X-Slack-Signature")
    require_fresh(call.now, number(sent, TIMESTAMP), TIMESTAMP)
    return json_object(call.body)


def read(payload: Any, call: Call, settings: SlackSettings) -> Reading:
    if text_at(payload, "type") == "url_verification":
        return Reading(ignored="url_verification", reply=Reply(content={"challenge": text_at(payload, "challenge")}))
    event = dig(payload, "event")
    if text_at(payload, "type") != "event_callback" or text_at(event, "type") != "message":
        return Reading(ignored="unknown event")
    is_edit = text_at(event, "subtype") == "message_changed"
    message = dig(event, "message") if is_edit else event
    if is_edit and text_at(message, "text") == text_at(event, "previous_message", "text"):
        return Reading(ignored="unchanged")  # a link was unfurled, a language recognised
    if dig(message, "bot_id") or text_at(message, "subtype") == "bot_message":
        return Reading(ignored="bot")
    if text_at(message, "subtype") not in WRITTEN:
        return Reading(ignored="system")
    agent = text_at(message, "user")
    if not agent or not is_agent(agent, settings):
        return Reading(ignored="customer")
    pictures, rest = sort_media((dig(each, "mimetype"), dig(each, "url_private")) for each in list_at(message, "files"))
    found = Incoming(
        text=plain(text_at(message, "text")),
        agent_id=agent,
        delivery_id=text_at(payload, "event_id"),
        conversation_id=id_at(event, "channel"),
        message_id=id_at(message, "ts"),
        sent_at=moment(_seconds(text_at(event, "ts"))),
        image_urls=pictures,
        uninspected=rest,
        is_edit=is_edit,
    )
    return Reading(messages=(found,))


def plain(text: str) -> str:
    """As people read it: links and mentions by what they show, the three escaped characters back."""
    return unescape(LINK.sub(lambda found: found[2] or found[1], text))


def _seconds(stamp: str) -> float | None:
    try:
        return float(stamp)
    except ValueError:
        return None


def answer(checked: tuple[Checked, ...], call: Call, settings: HookSettings) -> Reply:
    """A retry that has been read needs no other."""
    return Reply(content={}, headers={"X-Slack-No-Retry": "1"} if "x-slack-retry-num" in call.headers else {})


async def follow_up(checked: Checked, secret: SlackSecret, settings: SlackSettings, client: httpx.AsyncClient) -> None:
    message, token = checked.message, required(secret.api_token, "api_token")
    if wants_retraction(checked, settings):
        await _call(client, settings, token, "chat.delete", channel=message.conversation_id, ts=message.message_id)
    if wants_note(checked, settings):
        told = {"channel": message.conversation_id, "user": message.agent_id}
        await _call(client, settings, token, "chat.postEphemeral", text=escape(note_of(checked), quote=False), **told)


async def _call(client: httpx.AsyncClient, settings: SlackSettings, token: str, method: str, **arguments: Any) -> None:
    """Raises Refused or NotSetUp where Slack says no with a 200."""
    url, headers = f"{settings.api_base.rstrip('/')}/{method}", {"Authorization": f"Bearer {token}"}
    response = await send(client, "POST", url, headers=headers, json=arguments)
    body = json_object(response.content)
    if body.get("ok") is not True and (error := text_at(body, "error")) != GONE:
        raise (Refused if error in PASSING else NotSetUp)(f"{method}: {error[:40] or 'not ok'}")


def sample(text: str) -> dict[str, Any]:
    event = {"type": "message", "user": "U1", "text": escape(text, quote=False), "ts": "1.0", "channel": "C1"}
    return {"type": "event_callback", "event_id": "Ev1", "event": event}


TOOL = Tool(
    provider="slack",
    delivery="after",
    deadline_ms=2_000,
    secret=SlackSecret,
    settings=SlackSettings,
    verify=verify,
    read=read,
    answer=answer,
    follow_up=follow_up,
    sample=sample,
)
