"""OpenIM, self-hosted: webhooks before a message is sent, and the one that may change it. Nothing is signed.

Sources: openimsdk/open-im-server, config/webhooks.yml, pkg/callbackstruct, pkg/common/webhook/http_client.go.
The server puts the command behind our address, so a secret may stand in it as one more part: `.../{secret}/{command}`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from service.api.hooks.answers import blocked, masked_parts, refusal
from service.api.hooks.payload import dig, id_at, is_agent, joined, json_in, moment_ms, text_at
from service.api.hooks.proofs import json_object, same
from service.api.hooks.tool import Call, Checked, Forged, HookSettings, Incoming, Reading, Reply, TokenSecret, Tool

SINGLE, GROUP = "callbackBeforeSendSingleMsgCommand", "callbackBeforeSendGroupMsgCommand"
MODIFY = "callbackBeforeMsgModifyCommand"
MAX_WORDS = 500
WORDS = ("content", "text", "description", "data", "fileName")
WITHOUT_TEXT = {"103": "voice", "104": "video", "105": "file", "107": "forwarded"}
PICTURE = "102"


class OpenimSettings(HookSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    error_code: int = 5001
    """Of a refusal; the client hears it. Never 0."""

    def __post_init__(self) -> None:
        if self.error_code <= 0:
            raise ValueError("error_code should be 1 or more")


def verify(call: Call, secret: TokenSecret | None, settings: OpenimSettings) -> dict[str, Any]:
    if secret is not None:
        given = (call.query.get("token"), *call.rest.split("/"))
        if not any(same(each, secret.value) for each in given):
            raise Forged("the address lacks the secret, in its path or as `?token=`")
    return json_object(call.body)


def read(payload: Any, call: Call, settings: OpenimSettings) -> Reading:
    command = text_at(payload, "callbackCommand") or call.rest.rpartition("/")[2]
    if command not in (SINGLE, GROUP, MODIFY):
        return Reading(ignored="unknown event")
    sender, to, group = text_at(payload, "sendID"), text_at(payload, "recvID"), text_at(payload, "groupID")
    if not is_agent(sender, settings):
        return Reading(ignored="customer")
    kind, raw = text_at(payload, "contentType"), text_at(payload, "content")
    content = json_in(raw)
    address = text_at(content, "sourcePicture", "url") if kind == PICTURE else ""
    unseen = WITHOUT_TEXT.get(kind, "image" if kind == PICTURE and not address else "")
    message = Incoming(
        text=joined(words(content)) if isinstance(content, dict) else raw,
        agent_id=sender,
        delivery_id=text_at(payload, "clientMsgID") or text_at(payload, "serverMsgID"),
        conversation_id=group or f"{sender}|{to}",
        customer_id=to or None if not group else None,
        message_id=id_at(payload, "clientMsgID"),
        sent_at=moment_ms(dig(payload, "sendTime")),
        image_urls=(address,) if address else (),
        uninspected=(f"{unseen}: not inspected",) if unseen else (),
        reference={"content": content, "command": command},
    )
    return Reading(messages=(message,))


def words(content: Any) -> list[str]:
    """What there is to read, by the names of `WORDS`; a quoted message is not the agent's."""
    return [text_at(content, name) for name in WORDS]


def answer(checked: tuple[Checked, ...], call: Call, settings: OpenimSettings) -> Reply:
    verdict: dict[str, Any] = {"actionCode": 0, "errCode": 0, "errMsg": "", "errDlt": "", "nextCode": 0}
    if (refused := blocked(checked)) is None:
        return Reply(content=verdict)
    masked = masked_content(checked, refused)
    if refused.message.reference.get("command") == MODIFY:
        return Reply(content=verdict | ({"content": masked} if masked else {}))
    if masked:
        # It may pass: the server asks for the changed content next.
        return Reply(content=verdict)
    why = refusal(refused, MAX_WORDS)
    return Reply(content=verdict | {"errCode": settings.error_code, "errMsg": why, "errDlt": why, "nextCode": 1})


def masked_content(checked: tuple[Checked, ...], refused: Checked) -> str | None:
    """The content as a JSON string with asterisks; None where it is to be refused."""
    content = refused.message.reference.get("content")
    if not isinstance(content, dict) or (masked := masked_parts(checked, words(content))) is None:
        return None
    changed = {name: text for name, text in zip(WORDS, masked, strict=True) if text}
    return msgspec.json.encode(content | changed).decode()


def sample(text: str) -> dict[str, Any]:
    return {
        "sendID": "agent_1",
        "callbackCommand": SINGLE,
        "clientMsgID": "4f0c",
        "operationID": "1",
        "sessionType": 1,
        "contentType": 101,
        "sendTime": 1_772_337_600_000,
        "content": msgspec.json.encode({"content": text}).decode(),
        "recvID": "buyer_1",
    }


TOOL = Tool(
    provider="openim",
    delivery="before",
    deadline_ms=1500,
    secret_optional=True,
    settings=OpenimSettings,
    verify=verify,
    read=read,
    answer=answer,
    rewrites=True,
    sample=sample,
    experimental=("the numbers of contentType other than text", "the fields of callbackBeforeMsgModifyCommand"),
)
