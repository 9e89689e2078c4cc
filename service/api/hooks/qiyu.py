"""Qiyu (网易七鱼): one message per call, with a checksum over its body.

Source: qiyukf.com/docs/guide/server, general notes. SHA-1 over secret, MD5 of the body, and time.
"""

from __future__ import annotations

import hashlib
from typing import Any

from service.api.hooks.parts import sort_media
from service.api.hooks.payload import id_at, is_agent, json_in, moment_ms, text_at
from service.api.hooks.proofs import json_object, number, require, require_fresh
from service.api.hooks.tool import Call, HookSettings, Incoming, Reading, TokenSecret, Tool


def verify(call: Call, secret: TokenSecret, settings: HookSettings) -> dict[str, Any]:
    sent = call.query.get("time", "")
    body = hashlib.md5(call.body, usedforsecurity=False).hexdigest()
    expected = hashlib.sha1(f"{secret.value}{body}{sent}".encode(), usedforsecurity=False).hexdigest()
    require(call.query.get("checksum"), expected, "query `checksum`")
    require_fresh(call.now, number(sent, "query `time`"), "query `time`")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    # `eventType` is in the query, which the checksum does not cover: it can only make us look away.
    if call.query.get("eventType", "MSG") != "MSG" or not text_at(payload, "msgType"):
        return Reading(ignored="unknown event")
    agent, kind, content = text_at(payload, "staffId"), text_at(payload, "msgType"), text_at(payload, "content")
    if not agent:
        return Reading(ignored="bot")
    if not is_agent(agent, settings):
        return Reading(ignored="customer")
    media = [] if kind == "TEXT" else [(kind, text_at(json_in(content), "url") or content)]
    pictures, rest = sort_media(media)
    message = Incoming(
        text=content if kind == "TEXT" else "",
        agent_id=agent,
        delivery_id=text_at(payload, "msgId") or call.query.get("checksum", ""),
        conversation_id=id_at(payload, "sessionId"),
        customer_id=id_at(payload, "uid"),
        message_id=id_at(payload, "msgId"),
        sent_at=moment_ms(text_at(payload, "timeStamp")),
        image_urls=pictures,
        uninspected=rest,
    )
    return Reading(messages=(message,))


def sample(text: str) -> dict[str, Any]:
    return {"msgId": "1", "msgType": "TEXT", "content": text, "staffId": 1, "sessionId": 1, "uid": "1"}


TOOL = Tool(
    provider="qiyu",
    delivery="after",
    deadline_ms=4_000,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("the names of all fields of a message",),
)
