"""Calls of the tools that tell us after the fact, signed by the rule in each vendor's documents, not by our own code."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import struct
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.api.hooks.registry import TOOLS
from service.api.hooks.tool import Call

FIXTURES = Path(__file__).parent / "fixtures"
AT = 1_767_225_600
"""2026-01-01, midnight in UTC: when the fixtures were sent."""
TEXT = "您好，这双鞋是高仿的，做工和专柜一样哦"
Parts = tuple[dict[str, str], dict[str, str], bytes]
"""Headers, query, body."""


def shown_key(key: rsa.RSAPrivateKey) -> str:
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def another_key() -> str:
    return shown_key(rsa.generate_private_key(65_537, 2048))


RSA_KEY = rsa.generate_private_key(65_537, 2048)
PUBLIC_KEY = shown_key(RSA_KEY)
AES_KEY = bytes(range(32))
AES_KEY_SHOWN = b64encode(AES_KEY).decode().rstrip("=")
WECOM = {"token": "wecom-own-token", "encoding_aes_key": AES_KEY_SHOWN, "corp_id": "corp-own"}
DINGTALK_EVENT = {"token": "ding-own-token", "aes_key": AES_KEY_SHOWN, "app_key": "ding-own-app"}
FEISHU = {"encrypt_key": "feishu-own-key", "verification_token": "feishu-own-token"}
SOBOT = {"company_id": "sobot-own-company", "app_key": "sobot-own-key"}
SECRETS: dict[str, Any] = {
    "chatwoot": "chatwoot-own-secret",
    "zendesk": "zendesk-own-secret==",
    "sunshine": "sunshine-own-secret",
    "intercom": "intercom-own-secret",
    "freshchat": {"public_key_spki_base64": PUBLIC_KEY},
    "freshdesk": "freshdesk-own-token",
    "front": "front-own-key",
    "helpscout": "helpscout-own-secret",
    "livechat": "livechat-own-secret",
    "crisp": "crisp-own-secret",
    "sendbird": "sendbird-own-token",
    "slack": "slack-own-secret",
    "wecom": WECOM,
    "dingtalk": "ding-own-secret",
    "feishu": FEISHU,
    "meiqia": "meiqia-own-secret",
    "sobot": SOBOT,
    "qiyu": "qiyu-own-secret",
    "cometchat": "own-user:own-password",
}
"""As an administrator pastes them."""


def mac(key: str, data: bytes, digest: str = "sha256") -> bytes:
    return hmac.new(key.encode(), data, digest).digest()


def base64_of(data: bytes) -> str:
    return b64encode(data).decode()


def _chatwoot(body: bytes, at: int) -> Parts:
    signature = "sha256=" + mac("chatwoot-own-secret", b"%d." % at + body).hex()
    return {"X-Chatwoot-Delivery": "d-1", "X-Chatwoot-Timestamp": str(at), "X-Chatwoot-Signature": signature}, {}, body


def _zendesk(body: bytes, at: int) -> Parts:
    sent = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = base64_of(mac("zendesk-own-secret==", sent.encode() + body))
    headers = {"x-zendesk-webhook-signature": signature, "x-zendesk-webhook-signature-timestamp": sent}
    return {**headers, "x-zendesk-webhook-invocation-id": "inv-1"}, {}, body


def _sunshine(body: bytes, at: int) -> Parts:
    return {"X-API-Key": "sunshine-own-secret"}, {}, body


def _intercom(body: bytes, at: int) -> Parts:
    return {"X-Hub-Signature": "sha1=" + mac("intercom-own-secret", body, "sha1").hex()}, {}, body


def _freshchat(body: bytes, at: int) -> Parts:
    signature = RSA_KEY.sign(body, padding.PKCS1v15(), SHA256())
    return {"X-Freshchat-Signature": base64_of(signature)}, {}, body


def _freshdesk(body: bytes, at: int) -> Parts:
    return {"X-Webhook-Token": "freshdesk-own-token"}, {}, body


def _front(body: bytes, at: int) -> Parts:
    signature = base64_of(mac("front-own-key", b"%d000:" % at + body))
    return {"X-Front-Request-Timestamp": f"{at}000", "X-Front-Signature": signature}, {}, body


def _helpscout(body: bytes, at: int) -> Parts:
    signature = base64_of(mac("helpscout-own-secret", body, "sha1"))
    return {"X-HelpScout-Event": "convo.agent.reply.created", "X-HelpScout-Signature": signature}, {}, body


def _livechat(body: bytes, at: int) -> Parts:
    return {}, {}, body


def _crisp(body: bytes, at: int) -> Parts:
    signature = mac("crisp-own-secret", b"[%d000;" % at + body + b"]").hex()
    return {"X-Crisp-Request-Timestamp": f"{at}000", "X-Crisp-Signature": signature}, {}, body


def _sendbird(body: bytes, at: int) -> Parts:
    return {"x-sendbird-signature": mac("sendbird-own-token", body).hex()}, {}, body


def _slack(body: bytes, at: int) -> Parts:
    signature = "v0=" + mac("slack-own-secret", b"v0:%d:" % at + body).hex()
    return {"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": signature}, {}, body


def enclosed(message: bytes, receiver: str) -> str:
    """The envelope of WeCom and DingTalk."""
    plain = os.urandom(16) + struct.pack(">I", len(message)) + message + receiver.encode()
    fill = 32 - len(plain) % 32
    encryptor = Cipher(algorithms.AES(AES_KEY), modes.CBC(AES_KEY[:16])).encryptor()
    return base64_of(encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize())


def sorted_sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def _wecom(body: bytes, at: int) -> Parts:
    """The body is the plain XML."""
    encrypted = enclosed(body, WECOM["corp_id"])
    signature = sorted_sha1(WECOM["token"], str(at), "n1", encrypted)
    query = {"msg_signature": signature, "timestamp": str(at), "nonce": "n1"}
    return {}, query, f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()


def dingtalk_event(event: dict[str, Any], at: int = AT) -> Call:
    encrypted = enclosed(json.dumps(event).encode(), DINGTALK_EVENT["app_key"])
    signature = sorted_sha1(DINGTALK_EVENT["token"], f"{at}000", "n1", encrypted)
    query = {"msg_signature": signature, "timestamp": f"{at}000", "nonce": "n1"}
    return Call("POST", "", query, {}, json.dumps({"encrypt": encrypted}).encode(), moment(at))


def _dingtalk(body: bytes, at: int) -> Parts:
    sign = base64_of(mac("ding-own-secret", f"{at}000\nding-own-secret".encode()))
    return {"timestamp": f"{at}000", "sign": sign}, {}, body


def _feishu(body: bytes, at: int) -> Parts:
    key, iv = hashlib.sha256(FEISHU["encrypt_key"].encode()).digest(), os.urandom(16)
    fill = 16 - len(body) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    encrypted = base64_of(iv + encryptor.update(body + bytes([fill]) * fill) + encryptor.finalize())
    sent = json.dumps({"encrypt": encrypted}).encode()
    signature = hashlib.sha256(f"{at}n1{FEISHU['encrypt_key']}".encode() + sent).hexdigest()
    headers = {"X-Lark-Request-Timestamp": str(at), "X-Lark-Request-Nonce": "n1", "X-Lark-Signature": signature}
    return headers, {}, sent


def _meiqia(body: bytes, at: int) -> Parts:
    signature = base64_of(mac("meiqia-own-secret", body, "sha1").hex().encode())
    return {"Authorization": f"meiqia_sign:{signature}"}, {}, body


def _sobot(body: bytes, at: int) -> Parts:
    sign = hashlib.md5(f"{SOBOT['company_id']}{at}000r1{SOBOT['app_key']}".encode()).hexdigest()
    return {"X-Log-TimeStamp": f"{at}000", "X-Log-RandomCode": "r1", "X-Log-Sign": sign}, {}, body


def _qiyu(body: bytes, at: int) -> Parts:
    checksum = hashlib.sha1(f"qiyu-own-secret{hashlib.md5(body).hexdigest()}{at}".encode()).hexdigest()
    return {}, {"time": str(at), "checksum": checksum, "eventType": "MSG"}, body


def _cometchat(body: bytes, at: int) -> Parts:
    return {"Authorization": f"Basic {base64_of(b'own-user:own-password')}"}, {}, body


SIGN: dict[str, Callable[[bytes, int], Parts]] = {
    name.removeprefix("_"): function
    for name, function in list(globals().items())
    if name.removeprefix("_") in SECRETS and callable(function)
}


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def payload_of(provider: str) -> dict[str, Any]:
    """The fixture: a public message of an agent with TEXT."""
    found: dict[str, Any] = json.loads((FIXTURES / f"{provider}.json").read_text(encoding="utf-8"))
    return found


def signed(provider: str, payload: Any, at: int = AT) -> Parts:
    """The headers, query and body with which the tool sends `payload`."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
    return SIGN[provider](body, at)


def call_of(provider: str, payload: Any, at: int = AT, now: float = AT + 5) -> Call:
    headers, query, body = signed(provider, payload, at)
    return Call("POST", "", query, {name.lower(): value for name, value in headers.items()}, body, moment(now))


def secret_of(provider: str, shown: Any = None) -> Any:
    """The secret in its tool's shape, from what an administrator pastes."""
    tool, value = TOOLS[provider], SECRETS[provider] if shown is None else shown
    assert tool.secret is not None
    return msgspec.convert({"value": value} if isinstance(value, str) else value, tool.secret)
