"""Feishu and Lark: message events, signed and encrypted where an encrypt key is set, else proved by a token in the body.

Source: lark_oapi `event/dispatcher_handler.py` and its AESCipher.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from service.api.hooks.parts import sort_media
from service.api.hooks.payload import dig, id_at, is_agent, joined, json_in, list_at, moment_ms, text_at
from service.api.hooks.proofs import json_object, number, require, require_fresh
from service.api.hooks.tool import Call, Forged, HookSettings, Incoming, Reading, Reply, Tool

RECEIVED = "im.message.receive_v1"
WINDOW = 8 * 3_600.0
"""It tries again after 6 hours, and nobody says whether with a new time: the event's id stops repeats, not the clock."""
IV = 16
SIGNATURE, TIMESTAMP = "header X-Lark-Signature", "header X-Lark-Request-Timestamp"
MEDIA = frozenset({"image", "file", "audio", "media", "sticker"})


class FeishuSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """As the console shows them; at least one. With the key, calls are signed and encrypted."""

    encrypt_key: str | None = None
    verification_token: str | None = None

    def __post_init__(self) -> None:
        if not self.encrypt_key and not self.verification_token:
            raise ValueError("give encrypt_key, verification_token or both")


def verify(call: Call, secret: FeishuSecret, settings: HookSettings) -> dict[str, Any]:
    payload, is_signed = json_object(call.body), "x-lark-signature" in call.headers
    if secret.encrypt_key:
        if is_signed:
            _require_signature(call, secret.encrypt_key)
        payload = json_object(decrypt(secret.encrypt_key, text_at(payload, "encrypt")))
        if not is_signed and text_at(payload, "type") != "url_verification":
            raise Forged(f"{SIGNATURE} is missing")
    if secret.verification_token:
        given = text_at(payload, "header", "token") or text_at(payload, "token")
        require(given, secret.verification_token, "`token` of the body")
    return payload


def _require_signature(call: Call, encrypt_key: str) -> None:
    sent, nonce = call.headers.get("x-lark-request-timestamp", ""), call.headers.get("x-lark-request-nonce", "")
    expected = hashlib.sha256((sent + nonce + encrypt_key).encode() + call.body).hexdigest()
    require(call.headers.get("x-lark-signature"), expected, SIGNATURE)
    require_fresh(call.now, number(sent, TIMESTAMP), TIMESTAMP, WINDOW)


def decrypt(encrypt_key: str, encrypted: str) -> bytes:
    """AES-256-CBC under the key's SHA-256, after 16 bytes of IV. Raises Forged for what is not of this key."""
    try:
        data = b64decode(encrypted, validate=True)
        key = hashlib.sha256(encrypt_key.encode()).digest()
        decryptor = Cipher(algorithms.AES(key), modes.CBC(data[:IV])).decryptor()
        padded = decryptor.update(data[IV:]) + decryptor.finalize()
        unpadder = PKCS7(algorithms.AES.block_size).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise Forged("The body can't be decrypted with this connection's encrypt key.") from None


def read(payload: Any, call: Call, settings: HookSettings) -> Reading:
    if text_at(payload, "type") == "url_verification":
        return Reading(ignored="url_verification", reply=Reply(content={"challenge": text_at(payload, "challenge")}))
    if text_at(payload, "header", "event_type") != RECEIVED:
        return Reading(ignored="unknown event")
    sender, message = dig(payload, "event", "sender"), dig(payload, "event", "message")
    if text_at(sender, "sender_type") != "user":
        return Reading(ignored="bot")
    agent = text_at(sender, "sender_id", "open_id") or text_at(sender, "sender_id", "user_id")
    if not is_agent(agent, settings):
        return Reading(ignored="customer")
    kind, content = text_at(message, "message_type"), json_in(text_at(message, "content"))
    text = joined(_texts(content))
    for mention in list_at(message, "mentions"):
        text = text.replace(text_at(mention, "key") or "\0", "@" + text_at(mention, "name"))
    _, rest = sort_media(_media(content, kind))
    found = Incoming(
        text=text,
        agent_id=agent,
        delivery_id=text_at(payload, "header", "event_id"),
        conversation_id=id_at(message, "chat_id"),
        message_id=id_at(message, "message_id"),
        sent_at=moment_ms(dig(message, "create_time")),
        uninspected=rest,
    )
    return Reading(messages=(found,))


def _posts(content: Any) -> Iterator[Any]:
    """A rich text, which may lie under the name of a language."""
    yield content
    if isinstance(content, dict):
        yield from (each for each in content.values() if isinstance(each, dict))


def _texts(content: Any) -> Iterator[str]:
    for post in _posts(content):
        yield text_at(post, "text")
        yield text_at(post, "title")
        for line in list_at(post, "content"):
            yield "".join(text_at(run, "text") for run in line) if isinstance(line, list) else ""


def _media(content: Any, kind: str) -> Iterator[tuple[str, None]]:
    """All are keys to be fetched with a token, not addresses."""
    if kind in MEDIA:
        yield kind, None
    for post in _posts(content):
        runs = (run for line in list_at(post, "content") if isinstance(line, list) for run in line)
        yield from ((tag, None) for run in runs if (tag := text_at(run, "tag")) in ("img", "media"))


def sample(text: str) -> dict[str, Any]:
    content = msgspec.json.encode({"text": text}).decode()
    message = {"message_id": "1", "chat_id": "1", "message_type": "text", "content": content}
    event = {"sender": {"sender_type": "user", "sender_id": {"open_id": "1"}}, "message": message}
    return {"header": {"event_type": RECEIVED, "event_id": "1"}, "event": event}


TOOL = Tool(
    provider="feishu",
    delivery="after",
    deadline_ms=2_000,
    secret=FeishuSecret,
    verify=verify,
    read=read,
    sample=sample,
    experimental=("whether a retry is signed anew",),
)
