"""Sobot (智齿): up to twenty messages per call. The names of their fields are not published, so each is a setting.

Source: developer.zhichi.com/pages/7dbd91 (signature, batches, answer).
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from service.api.hooks.parts import BEIJING, iso, sort_media, version_id
from service.api.hooks.payload import dig, is_agent, list_at, moment_ms, text_at
from service.api.hooks.proofs import json_object, number, require, require_fresh
from service.api.hooks.tool import Call, Checked, HookSettings, Incoming, Reading, Reply, Tool

DONE = Reply(content={"ret_code": "000000"})


class SobotSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    company_id: str
    app_key: str


class SobotSettings(HookSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where in the body things lie; a dot leads inside, as in `data.items`. All but `items` begin at an item."""

    items: str = "content"
    agent: str = "staffId"
    customer: str = "uid"
    conversation: str = "cid"
    message: str = "msgId"
    text: str = "content"
    sent_at: str = "ts"
    sender: str = "senderType"
    agent_senders: tuple[str, ...] = ("2",)
    """Values of `sender` that mean an agent; empty: every item is an agent's."""
    kind: str = "msgType"
    text_kinds: tuple[str, ...] = ("0", "")
    image_kinds: tuple[str, ...] = ("1",)


def verify(call: Call, secret: SobotSecret, settings: SobotSettings) -> dict[str, Any]:
    sent, code = call.headers.get("x-log-timestamp", ""), call.headers.get("x-log-randomcode", "")
    signed = f"{secret.company_id}{sent}{code}{secret.app_key}".encode()
    # The body is not signed.
    require(call.headers.get("x-log-sign"), hashlib.md5(signed, usedforsecurity=False).hexdigest(), "header X-Log-Sign")
    require_fresh(call.now, number(sent, "header X-Log-TimeStamp") / 1000, "header X-Log-TimeStamp")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: SobotSettings) -> Reading:
    items = list_at(payload, *settings.items.split("."))
    if not items:
        return Reading(ignored="unknown event")
    written = [each for each in items if _is_agents(each, settings)]
    messages = tuple(_message(each, settings) for each in written)
    return Reading(messages=messages, ignored=None if messages else "customer")


def _field(item: Any, place: str) -> str:
    return text_at(item, *place.split("."))


def _is_agents(item: Any, settings: SobotSettings) -> bool:
    sent_by = not settings.agent_senders or _field(item, settings.sender) in settings.agent_senders
    return sent_by and is_agent(_field(item, settings.agent), settings)


def _message(item: Any, settings: SobotSettings) -> Incoming:
    kind, content = _field(item, settings.kind), _field(item, settings.text)
    is_text, conversation = kind in settings.text_kinds, _field(item, settings.conversation)
    media = [] if is_text else [("image" if kind in settings.image_kinds else "file", content)]
    pictures, rest = sort_media(media)
    at = dig(item, *settings.sent_at.split("."))
    number_of = _field(item, settings.message)
    return Incoming(
        text=content if is_text else "",
        agent_id=_field(item, settings.agent),
        delivery_id=number_of or version_id(conversation, content, str(at)),
        conversation_id=conversation or None,
        customer_id=_field(item, settings.customer) or None,
        message_id=number_of or None,
        sent_at=moment_ms(at) or iso(at, BEIJING),
        image_urls=pictures,
        uninspected=rest,
    )


def answer(checked: tuple[Checked, ...], call: Call, settings: HookSettings) -> Reply:
    return DONE


def sample(text: str) -> dict[str, Any]:
    """As the settings are unless they are changed."""
    return {"type": "msg", "content": [{"msgId": "1", "cid": "1", "staffId": "1", "senderType": 2, "content": text}]}


TOOL = Tool(
    provider="sobot",
    delivery="after",
    deadline_ms=4_000,
    secret=SobotSecret,
    settings=SobotSettings,
    verify=verify,
    read=read,
    answer=answer,
    sample=sample,
    experimental=("the names and values of all fields of a message",),
)
