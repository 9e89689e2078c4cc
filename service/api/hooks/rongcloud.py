"""RongCloud: the callback before a message is delivered, and copies of messages after.

Sources: docs.rongcloud.cn/v4-platform/views/im/server/security/msgcb.html, docs.rongcloud.cn/platform-chat-api/moderation/msgcb.
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from service.api.hooks.answers import blocked, masked_parts
from service.api.hooks.payload import dig, id_at, is_agent, joined, json_in, moment_ms, text_at
from service.api.hooks.proofs import json_object, number, require, require_fresh
from service.api.hooks.tool import Call, Checked, Forged, HookSettings, Incoming, Reading, Reply, TokenSecret, Tool
from service.errors import BadRequest

MAX_FIELDS = 100
PICTURES = frozenset({"RC:ImgMsg", "RC:GIFMsg"})
WITHOUT_TEXT = {"RC:VcMsg": "voice", "RC:HQVCMsg": "voice", "RC:SightMsg": "video", "RC:FileMsg": "file"}
TECHNICAL = ("RC:TypSts", "RC:ReadNtf", "RC:SRSMsg", "RC:RRMsg", "RC:RRReqMsg", "RC:RRRspMsg", "RC:CmdMsg")


class RongSettings(HookSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    app_key: str | None = None
    """Calls of any other application are refused."""


def verify(call: Call, secret: TokenSecret, settings: RongSettings) -> dict[str, Any]:
    nonce, sent = call.query.get("nonce", ""), call.query.get("signTimestamp") or call.query.get("timestamp", "")
    # The tool's own choice of SHA-1.
    expected = hashlib.sha1(f"{secret.value}{nonce}{sent}".encode(), usedforsecurity=False).hexdigest()
    require(call.query.get("signature"), expected, "query parameter signature")
    require_fresh(call.now, number(sent, "query parameter signTimestamp") / 1000, "query parameter signTimestamp")
    payload = fields(call)
    app_key = call.query.get("appKey") or text_at(payload, "appKey")
    if settings.app_key and app_key != settings.app_key:
        raise Forged("appKey is of another application")
    return payload


def fields(call: Call) -> dict[str, Any]:
    """Raises BadRequest for what is neither a form nor JSON."""
    if call.headers.get("content-type", "").startswith("application/json"):
        return json_object(call.body)
    try:
        return dict(parse_qsl(call.body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))
    except ValueError:
        raise BadRequest("The body is not a form in UTF-8.") from None


def read(payload: Any, call: Call, settings: RongSettings) -> Reading:
    kind = text_at(payload, "msgType") or text_at(payload, "objectName")
    sender = text_at(payload, "fromUserId")
    to = text_at(payload, "targetId") or text_at(payload, "toUserId")
    if not kind or not sender or kind in TECHNICAL:
        return Reading(ignored="unknown event")
    if not is_agent(sender, settings):
        return Reading(ignored="customer")
    raw = text_at(payload, "content")
    content = json_in(raw)
    is_single = text_at(payload, "channelType") in ("PERSON", "PERSONS", "")
    address = text_at(content, "imageUri") if kind in PICTURES else ""
    unseen = WITHOUT_TEXT.get(kind, "image" if kind in PICTURES and not address else "")
    copied = "msgUID" in payload and "messageId" not in payload
    message = Incoming(
        text=words(kind, content, raw),
        agent_id=sender,
        delivery_id=text_at(payload, "messageId") or text_at(payload, "msgUID") or call.query.get("nonce", ""),
        conversation_id=f"{sender}|{to}" if is_single else to or None,
        customer_id=to or None if is_single else None,
        message_id=id_at(payload, "messageId") or id_at(payload, "msgUID"),
        sent_at=moment_ms(dig(payload, "msgTimeStamp") or dig(payload, "msgTimestamp")),
        image_urls=(address,) if address else (),
        uninspected=(f"{unseen}: not inspected",) if unseen else (),
        after_delivery=copied,
        reference={"content": content if kind == "RC:TxtMsg" and isinstance(content, dict) else None},
    )
    return Reading(messages=(message,))


def words(kind: str, content: Any, raw: str) -> str:
    """A picture's or a voice's `content` is the file itself, in base64."""
    if kind in PICTURES or kind in WITHOUT_TEXT:
        return text_at(content, "name")
    if not isinstance(content, dict):
        return raw
    return joined(text_at(content, name) for name in ("title", "content", "poi"))


def answer(checked: tuple[Checked, ...], call: Call, settings: RongSettings) -> Reply:
    if (refused := blocked(checked)) is None:
        return Reply(content={"pass": 1})
    content = refused.message.reference.get("content")
    if content and (masked := masked_parts(checked, [text_at(content, "content")])):
        changed = msgspec.json.encode(content | {"content": masked[0]}).decode()
        return Reply(content={"pass": 1, "content": changed})
    return Reply(content={"pass": 0})


def sample(text: str) -> dict[str, Any]:
    return {
        "appKey": "demo",
        "fromUserId": "agent_1",
        "targetId": "buyer_1",
        "msgType": "RC:TxtMsg",
        "content": msgspec.json.encode({"content": text, "extra": ""}).decode(),
        "channelType": "PERSON",
        "msgTimeStamp": "1772337600000",
        "messageId": "4F0C-1",
    }


TOOL = Tool(
    provider="rongcloud",
    delivery="before",
    deadline_ms=1500,
    settings=RongSettings,
    verify=verify,
    read=read,
    answer=answer,
    rewrites=True,
    sample=sample,
    experimental=("that pass 1 delivers and pass 0 refuses", "the form of replaced content", "the time it waits"),
)
