"""NetEase Yunxin: the callback before a message is passed on.

Sources: doc.yunxin.163.com/messaging/guide/jI3ODc2ODE (third-party callback), messaging/docs/Tc2MzAxODA (its HTTP form).
"""

from __future__ import annotations

import hashlib
from typing import Any

from service.api.hooks.answers import blocked, masked_parts, refusal
from service.api.hooks.payload import dig, id_at, is_agent, joined, json_in, moment_ms, text_at
from service.api.hooks.proofs import json_object, number, require, require_fresh
from service.api.hooks.tool import Call, Checked, Forged, HookSettings, Incoming, Reading, Reply, TokenSecret, Tool

SINGLE, GROUP = "1", "2"
MAX_WORDS = 300
WITHOUT_TEXT = {"AUDIO": "voice", "VIDEO": "video", "FILE": "file"}


class YunxinSettings(HookSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    app_key: str | None = None
    """Calls of any other application are refused."""
    response_code: int = 20_000
    """Of a refusal, 20000 to 20099."""

    def __post_init__(self) -> None:
        if not 20_000 <= self.response_code <= 20_099:
            raise ValueError("response_code should be 20000 to 20099")


def verify(call: Call, secret: TokenSecret, settings: YunxinSettings) -> dict[str, Any]:
    # The tool's own choice of MD5 and SHA-1.
    digest = hashlib.md5(call.body, usedforsecurity=False).hexdigest()
    sent = call.headers.get("curtime", "")
    expected = hashlib.sha1(f"{secret.value}{digest}{sent}".encode(), usedforsecurity=False).hexdigest()
    require(call.headers.get("checksum"), expected, "header CheckSum")
    require_fresh(call.now, number(sent, "header CurTime") / 1000, "header CurTime")
    if settings.app_key and call.headers.get("appkey") != settings.app_key:
        raise Forged("header AppKey is of another application")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: YunxinSettings) -> Reading:
    event = text_at(payload, "eventType")
    if event not in (SINGLE, GROUP):
        return Reading(ignored="unknown event")
    sender, to = text_at(payload, "fromAccount"), text_at(payload, "to")
    if not is_agent(sender, settings):
        return Reading(ignored="customer")
    kind, attached = text_at(payload, "msgType").upper(), json_in(text_at(payload, "attach"))
    address = text_at(attached, "url") if kind == "PICTURE" else ""
    unseen = WITHOUT_TEXT.get(kind, "image" if kind == "PICTURE" and not address else "")
    message = Incoming(
        text=words(payload),
        agent_id=sender,
        delivery_id=text_at(payload, "msgidClient") or text_at(payload, "msgidServer"),
        conversation_id=f"{sender}|{to}" if event == SINGLE else text_at(payload, "tid") or to or None,
        customer_id=to or None if event == SINGLE else None,
        message_id=id_at(payload, "msgidClient") or id_at(payload, "msgidServer"),
        sent_at=moment_ms(dig(payload, "msgTimestamp")),
        image_urls=(address,) if address else (),
        uninspected=(f"{unseen}: not inspected",) if unseen else (),
        reference={"body": text_at(payload, "body")},
    )
    return Reading(messages=(message,))


def words(payload: Any) -> str:
    """The text, and what a custom message, a place or a file is called."""
    attach = text_at(payload, "attach")
    attached = json_in(attach)
    if text_at(payload, "msgType").upper() == "CUSTOM":
        return joined((text_at(payload, "body"), attach))
    return joined((text_at(payload, "body"), text_at(attached, "title"), text_at(attached, "name")))


def answer(checked: tuple[Checked, ...], call: Call, settings: YunxinSettings) -> Reply:
    verdict: dict[str, Any] = {"errCode": 0, "responseCode": 200, "modifyResponse": {}, "callbackExt": ""}
    if (refused := blocked(checked)) is None:
        return Reply(content=verdict)
    if masked := masked_parts(checked, [refused.message.reference.get("body", "")]):
        return Reply(content=verdict | {"modifyResponse": {"body": masked[0]}})
    why = {"errCode": 1, "responseCode": settings.response_code, "callbackExt": refusal(refused, MAX_WORDS)}
    return Reply(content=verdict | why)


def sample(text: str) -> dict[str, Any]:
    return {
        "eventType": 1,
        "convType": "PERSON",
        "fromAccount": "agent_1",
        "to": "buyer_1",
        "msgType": "TEXT",
        "body": text,
        "attach": "",
        "msgTimestamp": "1772337600000",
        "msgidClient": "4f0c",
    }


TOOL = Tool(
    provider="yunxin",
    delivery="before",
    deadline_ms=1500,
    settings=YunxinSettings,
    verify=verify,
    read=read,
    answer=answer,
    rewrites=True,
    sample=sample,
    experimental=(
        "what errCode, responseCode, callbackExt and modifyResponse mean in the answer",
        "the fields of attachments",
    ),
)
