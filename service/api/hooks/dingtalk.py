"""DingTalk: messages to a robot, and event subscriptions, which must be answered with an encrypted `success`.

A robot sees only what mentions it in a group, or is written to it. Sources: open.dingtalk.com, receive-message;
DingCallbackCrypto3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from service.api.hooks.envelope import key_of, seal, signature, unseal
from service.api.hooks.parts import sort_media
from service.api.hooks.payload import dig, id_at, is_agent, joined, list_at, moment_ms, text_at
from service.api.hooks.proofs import hmac_base64, json_object, number, require, require_fresh
from service.api.hooks.tool import Call, Forged, HookSettings, Incoming, Reading, Reply, Tool

ROBOT_WINDOW = 3_600.0
TIMESTAMP = "header timestamp"


class DingtalkSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`value`: the app secret, for a robot. The other three: of an event subscription."""

    value: str | None = None
    token: str | None = None
    aes_key: str | None = None
    app_key: str | None = None
    """Or the corpId, for subscriptions of that kind."""

    def __post_init__(self) -> None:
        event = (self.token, self.aes_key, self.app_key)
        if not (self.value or all(event)) or (any(event) and not all(event)):
            raise ValueError("give the app secret, or token, aes_key and app_key together")
        if self.aes_key:
            key_of(self.aes_key)


def verify(call: Call, secret: DingtalkSecret, settings: HookSettings) -> dict[str, Any]:
    """A robot's message; of an event, its decrypted fields with the answer that it must get in `_reply`."""
    if "msg_signature" in call.query or "signature" in call.query:
        return _verify_event(call, secret)
    if secret.value is None:
        raise Forged("query `msg_signature` is missing")
    sent = call.headers.get("timestamp", "")
    # Nothing of the body is signed: a token in the address, and the id of the message, must stand in for it.
    require(call.headers.get("sign"), hmac_base64(secret.value, f"{sent}\n{secret.value}".encode()), "header sign")
    require_fresh(call.now, number(sent, TIMESTAMP) / 1000, TIMESTAMP, ROBOT_WINDOW)
    return {name: value for name, value in json_object(call.body).items() if name != "_reply"}


def _verify_event(call: Call, secret: DingtalkSecret) -> dict[str, Any]:
    if secret.token is None or secret.aes_key is None or secret.app_key is None:
        raise Forged("this connection has no token and AES key for events")
    sent, nonce = call.query.get("timestamp", ""), call.query.get("nonce", "")
    encrypted = text_at(json_object(call.body), "encrypt")
    given = call.query.get("msg_signature") or call.query.get("signature")
    require(given, signature(secret.token, sent, nonce, encrypted), "query `msg_signature`")
    require_fresh(call.now, number(sent, "query `timestamp`") / 1000, "query `timestamp`")
    key = key_of(secret.aes_key)
    event = json_object(unseal(key, encrypted, secret.app_key))
    answer = seal(key, b"success", secret.app_key)
    signed = signature(secret.token, sent, nonce, answer)
    return {**event, "_reply": {"msg_signature": signed, "encrypt": answer, "timeStamp": sent, "nonce": nonce}}


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    if (reply := dig(payload, "_reply")) is not None:
        is_check = text_at(payload, "EventType") == "check_url"
        return Reading(ignored="check_url" if is_check else "unknown event", reply=Reply(content=reply))
    kind = text_at(payload, "msgtype")
    if not kind:
        return Reading(ignored="unknown event")
    # People from outside of the company have no staff id.
    agent = text_at(payload, "senderStaffId")
    if not agent or not is_agent(agent, settings):
        return Reading(ignored="customer")
    _, rest = sort_media(_media(payload, kind))
    message = Incoming(
        text=joined(part.strip() for part in _texts(payload)),
        agent_id=agent,
        delivery_id=text_at(payload, "msgId"),
        conversation_id=id_at(payload, "conversationId"),
        message_id=id_at(payload, "msgId"),
        sent_at=moment_ms(dig(payload, "createAt")),
        uninspected=rest,
    )
    return Reading(messages=(message,))


def _texts(payload: Any) -> Iterator[str]:
    yield text_at(payload, "text", "content")
    yield text_at(payload, "content", "recognition")  # what a voice message was heard to say
    yield from (text_at(part, "text") for part in list_at(payload, "content", "richText"))


def _media(payload: Any, kind: str) -> Iterator[tuple[str, None]]:
    """All are codes to be fetched with a token, not addresses."""
    if kind not in ("text", "richText"):
        yield kind, None
    for part in list_at(payload, "content", "richText"):
        if text_at(part, "downloadCode") or text_at(part, "pictureDownloadCode"):
            yield "picture", None


def sample(text: str) -> dict[str, Any]:
    return {"msgId": "1", "msgtype": "text", "senderStaffId": "1", "conversationId": "1", "text": {"content": text}}


TOOL = Tool(
    provider="dingtalk",
    delivery="after",
    deadline_ms=4_000,
    secret=DingtalkSecret,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("the second query name `signature` of events",),
)
