"""Tencent Cloud IM: callbacks before a one-to-one or a group message is sent.

Sources: cloud.tencent.com/document/product/269/1632 and 269/1522, tencentcloud.com/document/product/1047/34364,
1047/60803 (code 2); the rule of `Sign`: 269/117703.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from service.api.hooks.answers import blocked, masked_parts, refusal
from service.api.hooks.payload import dig, id_at, is_agent, joined, json_in, list_at, moment, text_at
from service.api.hooks.proofs import json_object, number, require, require_fresh
from service.api.hooks.tool import Call, Checked, Forged, HookSettings, Incoming, Reading, Reply, TokenSecret, Tool

SINGLE, GROUP = "C2C.CallbackBeforeSendMsg", "Group.CallbackBeforeSendMsg"
WINDOW = 60.0
MAX_WORDS = 300
CODES = {1, 2, *range(120_001, 130_001)}
WITHOUT_TEXT = {
    "TIMSoundElem": "voice",
    "TIMVideoFileElem": "video",
    "TIMFileElem": "file",
    "TIMRelayElem": "forwarded",
}


class TencentSettings(HookSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    sdk_app_id: str | None = None
    """Calls of any other application are refused."""
    error_code: int = 120_001
    """Of a refusal: 120001 to 130000 come to the client with the reason, 1 refuses without, 2 drops it in silence."""
    shop_field: str | None = None
    """The field of `CloudCustomData` (JSON) that names the shop; unset: the connection's shop."""
    ignore_rest_api: bool = False
    """Messages that a server sends by the REST interface are not checked."""

    def __post_init__(self) -> None:
        if self.error_code not in CODES:
            raise ValueError("error_code should be 1, 2 or 120001 to 130000")


def verify(call: Call, secret: TokenSecret | None, settings: TencentSettings) -> dict[str, Any]:
    if secret is not None:
        sent = call.query.get("RequestTime", "")
        expected = sha256(f"{secret.value}{sent}".encode()).hexdigest()
        require(call.query.get("Sign"), expected, "query parameter Sign")
        require_fresh(call.now, number(sent, "query parameter RequestTime"), "query parameter RequestTime", WINDOW)
    if settings.sdk_app_id and call.query.get("SdkAppid") != settings.sdk_app_id:
        raise Forged("query parameter SdkAppid is of another application")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: TencentSettings) -> Reading:
    command = text_at(payload, "CallbackCommand") or call.query.get("CallbackCommand")
    if command not in (SINGLE, GROUP):
        return Reading(ignored="unknown event")
    if settings.ignore_rest_api and call.query.get("OptPlatform") == "RESTAPI":
        return Reading(ignored="system")
    sender, to = text_at(payload, "From_Account"), text_at(payload, "To_Account")
    if not is_agent(sender, settings):
        return Reading(ignored="customer")
    body = list_at(payload, "MsgBody")
    if command == SINGLE:
        delivery_id, conversation = text_at(payload, "MsgKey") or text_at(payload, "MsgId"), f"{sender}|{to}"
    else:
        conversation = text_at(payload, "GroupId")
        delivery_id = f"{conversation}:{sender}:{text_at(payload, 'Random')}"
    shop = text_at(json_in(text_at(payload, "CloudCustomData")), settings.shop_field) if settings.shop_field else ""
    message = Incoming(
        text=joined(map(words, body)),
        agent_id=sender,
        delivery_id=delivery_id,
        conversation_id=conversation,
        customer_id=to or None,
        message_id=id_at(payload, "MsgKey") or id_at(payload, "MsgId"),
        sent_at=moment(dig(payload, "MsgTime")),
        shop_id=shop or None,
        image_urls=tuple(filter(None, map(picture, body))),
        uninspected=tuple(filter(None, map(uninspected, body))),
        reference={"body": body},
    )
    return Reading(messages=(message,))


def words(element: Any) -> str:
    """What there is to read in one part."""
    content, kind = dig(element, "MsgContent"), text_at(element, "MsgType")
    fields = {"TIMTextElem": ("Text",), "TIMCustomElem": ("Desc", "Data"), "TIMLocationElem": ("Desc",)}
    return joined(text_at(content, name) for name in fields.get(kind, ("FileName",)))


def picture(element: Any) -> str:
    """The address of the original, which comes first."""
    is_picture = text_at(element, "MsgType") == "TIMImageElem"
    return text_at(element, "MsgContent", "ImageInfoArray", 0, "URL") if is_picture else ""


def uninspected(element: Any) -> str:
    kind = text_at(element, "MsgType")
    if kind == "TIMImageElem":
        return "" if picture(element) else "image: not inspected"
    return f"{WITHOUT_TEXT[kind]}: not inspected" if kind in WITHOUT_TEXT else ""


def answer(checked: tuple[Checked, ...], call: Call, settings: TencentSettings) -> Reply:
    verdict: dict[str, Any] = {"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""}
    if (refused := blocked(checked)) is None:
        return Reply(content=verdict)
    body = refused.message.reference.get("body", [])
    if (masked := masked_parts(checked, [words(each) for each in body])) and is_plain(body):
        rewritten = [
            each | {"MsgContent": {"Text": text}} if each["MsgType"] == "TIMTextElem" else each
            for each, text in zip(body, masked, strict=True)
        ]
        return Reply(content=verdict | {"MsgBody": rewritten})
    return Reply(content=verdict | {"ErrorCode": settings.error_code, "ErrorInfo": refusal(refused, MAX_WORDS)})


def is_plain(body: list[Any]) -> bool:
    """Whether all words stand in text parts: only those are rewritten."""
    return all(text_at(each, "MsgType") == "TIMTextElem" or not words(each) for each in body)


def sample(text: str) -> dict[str, Any]:
    return {
        "CallbackCommand": SINGLE,
        "From_Account": "agent_1",
        "To_Account": "buyer_1",
        "MsgSeq": 1,
        "MsgRandom": 2,
        "MsgTime": 1_772_337_600,
        "MsgKey": "1_2_1772337600",
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
    }


TOOL = Tool(
    provider="tencent_im",
    delivery="before",
    deadline_ms=1500,
    secret_optional=True,
    settings=TencentSettings,
    verify=verify,
    read=read,
    answer=answer,
    rewrites=True,
    sample=sample,
    experimental=(
        "that a message passes when no answer comes in time",
        "that the rule of Sign, published for a sister product, holds for IM",
    ),
)
