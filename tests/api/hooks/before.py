"""Calls of the tools that ask before delivering, signed by the rule in each vendor's documents, not by our own code; and of
those two whose hook is code that the customer installs.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

FIXTURES = Path(__file__).parent / "fixtures"
SECRET = "own-secret-of-the-tests"
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Request:
    """What a tool would send."""

    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    rest: str = ""


def payload_of(name: str, text: str, **changes: Any) -> dict[str, Any]:
    """The fixture with that text; JSON within JSON, too."""
    raw = (FIXTURES / f"{name}.json").read_text(encoding="utf-8").replace("TEXT", text)
    found: dict[str, Any] = json.loads(raw)
    return found | changes


def encoded(payload: Any) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def tencent(payload: Any, at: float, secret: str) -> Request:
    sent = str(int(at))
    sign = hashlib.sha256((secret + sent).encode()).hexdigest()
    query = {"SdkAppid": "1400", "CallbackCommand": payload["CallbackCommand"], "OptPlatform": "Web"}
    return Request(encoded(payload), query | {"Sign": sign, "RequestTime": sent})


def easemob(payload: Any, at: float, secret: str) -> Request:
    sent = int(at * 1000)
    security = hashlib.md5(f"{payload['callId']}{secret}{sent}".encode()).hexdigest()
    return Request(encoded(payload | {"timestamp": sent, "security": security}))


def yunxin(payload: Any, at: float, secret: str) -> Request:
    body, sent = encoded(payload), str(int(at * 1000))
    digest = hashlib.md5(body).hexdigest()
    checksum = hashlib.sha1(f"{secret}{digest}{sent}".encode()).hexdigest()
    return Request(body, {}, JSON | {"AppKey": "own", "CurTime": sent, "MD5": digest, "CheckSum": checksum})


def rongcloud(payload: Any, at: float, secret: str) -> Request:
    sent = str(int(at * 1000))
    signature = hashlib.sha1(f"{secret}314{sent}".encode()).hexdigest()
    query = {"appKey": "own", "nonce": "314", "signTimestamp": sent, "signature": signature}
    return Request(urlencode(payload).encode(), query, {"Content-Type": "application/x-www-form-urlencoded"})


def stream(payload: Any, at: float, secret: str) -> Request:
    body = encoded(payload)
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    message = payload["message"]["id"]
    return Request(
        body, {}, JSON | {"X-Webhook-Id": f"w-{message}", "X-Webhook-Attempt": "1", "X-Signature": signature}
    )


def stream_zipped(payload: Any, at: float, secret: str) -> Request:
    plain = stream(payload, at, secret)
    return Request(gzip.compress(plain.body), plain.query, plain.headers)


def openim(payload: Any, at: float, secret: str) -> Request:
    return Request(encoded(payload), {"contenttype": "json"}, JSON, f"{secret}/{payload['callbackCommand']}")


def rocketchat(payload: Any, at: float, secret: str) -> Request:
    return Request(encoded(payload | {"token": secret}))


def omnichannel(payload: Any, at: float, secret: str) -> Request:
    return Request(encoded(payload), {}, JSON | {"X-RocketChat-Livechat-Token": secret})


def mattermost(payload: Any, at: float, secret: str) -> Request:
    return Request(encoded(payload | {"token": secret}))


def mattermost_form(payload: Any, at: float, secret: str) -> Request:
    fields = payload | {"token": secret, "timestamp": payload["timestamp"] // 1000}
    return Request(urlencode(fields).encode(), {}, {"Content-Type": "application/x-www-form-urlencoded"})


@dataclass(frozen=True)
class Case:
    """One way in which a tool calls."""

    provider: str
    fixture: str
    sign: Callable[[Any, float, str], Request]
    covers_body: bool
    """Whether a changed body is refused."""
    window: float | None
    """Seconds after which a call is refused; None where no time is signed."""
    unknown: Mapping[str, Any]
    """What makes the payload an event that is none of ours."""
    sender: tuple[str, Any]
    """What makes the sender a customer, with `agents` set to `desk_*` and `u7`."""
    allowed: Any
    """The body of an allow."""
    conversation: str
    agent: str = "desk_7"
    after: bool = False


TENCENT = {"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""}
YUNXIN = {"errCode": 0, "responseCode": 200, "modifyResponse": {}, "callbackExt": ""}
OPENIM = {"actionCode": 0, "errCode": 0, "errMsg": "", "errDlt": "", "nextCode": 0}
OTHER_COMMAND = {"CallbackCommand": "State.StateChange"}
BY_GUEST = ("From_Account", "guest_31")
GUEST = {"id": "guest_31", "role": "user"}
C2C = "desk_7|guest_31"
CASES = {
    "tencent_im": Case(
        "tencent_im", "tencent_im", tencent, False, 60, OTHER_COMMAND, BY_GUEST, TENCENT, C2C
    ),
    "tencent_im_group": Case(
        "tencent_im", "tencent_im_group", tencent, False, 60, OTHER_COMMAND, BY_GUEST, TENCENT, "@TGS#own"
    ),
    "easemob": Case(
        "easemob", "easemob", easemob, False, 300, {"chat_type": "none"}, ("from", "guest_31"), {"valid": True}, C2C
    ),
    "yunxin": Case("yunxin", "yunxin", yunxin, True, 300, {"eventType": 36}, ("fromAccount", "guest_31"), YUNXIN, C2C),
    "rongcloud": Case(
        "rongcloud", "rongcloud", rongcloud, False, 300, {"msgType": "RC:TypSts"}, ("fromUserId", "guest_31"),
        {"pass": 1}, C2C,
    ),
    "stream": Case(
        "stream", "stream", stream, True, None, {"type": "user.banned"}, ("user", GUEST), None, "messaging:order_31"
    ),
    "stream, gzip": Case(
        "stream", "stream", stream_zipped, True, None, {"type": "user.banned"}, ("user", GUEST), None,
        "messaging:order_31",
    ),
    "openim": Case(
        "openim", "openim", openim, False, None, {"callbackCommand": "callbackUserOnlineCommand"},
        ("sendID", "guest_31"), OPENIM, C2C,
    ),
    "rocketchat": Case(
        "rocketchat", "rocketchat", rocketchat, False, None, {"message_id": ""}, ("user_name", "guest"), {}, "ROOM31",
        agent="u7", after=True,
    ),
    "rocketchat omnichannel": Case(
        "rocketchat", "rocketchat_omnichannel", omnichannel, False, None, {"type": "LivechatSession"},
        ("messages", [{"_id": "m32", "username": "guest", "msg": "在吗"}]), {}, "ROOM31", agent="u7", after=True,
    ),
    "mattermost": Case(
        "mattermost", "mattermost", mattermost, False, None, {"post_id": ""}, ("user_name", "guest"), {}, "c31",
        agent="u7", after=True,
    ),
    "mattermost form": Case(
        "mattermost", "mattermost", mattermost_form, False, None, {"post_id": ""}, ("user_name", "guest"), {}, "c31",
        agent="u7", after=True,
    ),
}  # fmt: skip
