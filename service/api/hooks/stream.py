"""Stream Chat: the hook before a message is stored.

Sources: getstream.io/chat/docs, before_message_send_webhook and webhooks_overview; GetStream/stream-py `getstream/webhook.py`.
"""

from __future__ import annotations

import zlib
from typing import Any

from service.api.hooks.answers import blocked, masked_parts, refusal
from service.api.hooks.payload import dig, id_at, is_agent, joined, list_at, text_at
from service.api.hooks.proofs import hmac_hex, json_object, require
from service.api.hooks.tool import Call, Checked, HookSettings, Incoming, Reading, Reply, TokenSecret, Tool
from service.errors import BadRequest

GZIP = b"\x1f\x8b"
MAX_UNZIPPED = 1024 * 1024
MAX_WORDS = 1000
AFTER = frozenset({"message.new", "message.updated"})
"""Events of the ordinary webhook, which come when the message is stored."""


class StreamSettings(HookSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    agent_roles: tuple[str, ...] = ()
    """Roles of users that are agents; empty: any."""


def verify(call: Call, secret: TokenSecret, settings: StreamSettings) -> dict[str, Any]:
    body = unzip(call.body) if call.body.startswith(GZIP) else call.body
    require(call.headers.get("x-signature"), hmac_hex(secret.value, body), "header X-Signature")
    return json_object(body)


def unzip(body: bytes) -> bytes:
    """Raises BadRequest for what is broken, or larger than `MAX_UNZIPPED`."""
    unzipping = zlib.decompressobj(wbits=31)
    try:
        plain = unzipping.decompress(body, MAX_UNZIPPED)
    except zlib.error:
        raise BadRequest("The body can't be unzipped.") from None
    if not unzipping.eof:
        raise BadRequest(f"The unzipped body is cut off, or over {MAX_UNZIPPED:,} bytes.")
    return plain


def read(payload: Any, call: Call, settings: StreamSettings) -> Reading:
    event, message = text_at(payload, "type"), dig(payload, "message")
    if not isinstance(message, dict) or (event and event not in AFTER):
        return Reading(ignored="unknown event")
    if text_at(message, "type") in ("system", "deleted", "ephemeral"):
        return Reading(ignored="system")
    user = dig(payload, "user") or dig(message, "user")
    sender, role = text_at(user, "id"), text_at(user, "role")
    if not is_agent(sender, settings) or (settings.agent_roles and role not in settings.agent_roles):
        return Reading(ignored="customer")
    attachments = list_at(message, "attachments")
    addresses = [text_at(each, "image_url") or text_at(each, "thumb_url") for each in attachments]
    channel = text_at(payload, "channel", "cid") or text_at(payload, "cid")
    incoming = Incoming(
        text=joined([text_at(message, "text"), *map(words, attachments)]),
        agent_id=sender,
        delivery_id=call.headers.get("x-webhook-id") or text_at(message, "id"),
        conversation_id=channel or None,
        message_id=id_at(message, "id"),
        image_urls=tuple(address for address in addresses if address),
        uninspected=tuple(
            f"{kind_of(each)}: not inspected"
            for each, address in zip(attachments, addresses, strict=True)
            if not address
        ),
        after_delivery=event in AFTER,
        is_edit=event == "message.updated",
        reference={"message": message},
    )
    return Reading(messages=(incoming,))


def words(attachment: Any) -> str:
    return joined(text_at(attachment, name) for name in ("title", "text", "title_link"))


def kind_of(attachment: Any) -> str:
    kind = text_at(attachment, "type")
    return {"image": "image", "video": "video", "audio": "voice", "voiceRecording": "voice"}.get(kind, "file")


def answer(checked: tuple[Checked, ...], call: Call, settings: StreamSettings) -> Reply:
    if (refused := blocked(checked)) is None:
        return Reply()
    message = refused.message.reference.get("message") or {}
    if masked := masked_parts(checked, [text_at(message, "text")]):
        changed = {name: value for name, value in message.items() if name != "html"} | {"text": masked[0]}
        return Reply(content={"message": changed})
    return Reply(content={"message": {"type": "error", "text": refusal(refused, MAX_WORDS)}})


def sample(text: str) -> dict[str, Any]:
    return {
        "message": {"id": "agent-1-4f0c", "text": text, "type": "regular", "attachments": []},
        "user": {"id": "agent_1", "role": "admin"},
        "channel": {"cid": "messaging:order_1", "id": "order_1", "type": "messaging"},
    }


TOOL = Tool(
    provider="stream",
    delivery="before",
    deadline_ms=1200,
    settings=StreamSettings,
    verify=verify,
    read=read,
    answer=answer,
    rewrites=True,
    sample=sample,
    experimental=("that a message passes when no answer comes in time",),
)
