"""Feishu's (Lark's) custom robot: a post of lines; signed by two fields of the body.

Signature, time in seconds and `code` 0 as its documentation says (open.feishu.cn, custom bot guide); bodies up to 20 kB.
At most 100 messages a minute and 5 a second. UNVERIFIED: that 11232 means too many.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any

import msgspec

from service.notify.exchange import Answer, Outgoing, Verdict
from service.notify.robots.verdict import judge_by_body
from service.notify.robots.words import lines_of, link_of, title_of
from service.record.event import Event

TOO_OFTEN = (11232,)
PAUSE = 60.0


class FeishuRobot:
    """Speaks to a group."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def write(self, event: Event, url: str, secrets: tuple[str, ...], now: datetime) -> Outgoing:
        # Its text elements are shown as they stand, so nothing in them needs to be made harmless.
        lines: list[list[dict[str, str]]] = [
            [{"tag": "text", "text": f"{label}：{value}"}] for label, value in lines_of(event)
        ]
        if link := link_of(event, self._public_url):
            lines.append([{"tag": "a", "text": "查看详情", "href": link}])
        post = {"zh_cn": {"title": title_of(event), "content": lines}}
        body: dict[str, Any] = {"msg_type": "post", "content": {"post": post}}
        if secrets:
            seconds = int(now.timestamp())
            body = {"timestamp": str(seconds), "sign": sign(secrets[0], seconds), **body}
        return Outgoing(url, msgspec.json.encode(body), {"Content-Type": "application/json; charset=utf-8"})

    def judge(self, answer: Answer) -> Verdict:
        return judge_by_body(answer, ("code", "StatusCode"), ("msg", "StatusMessage"), TOO_OFTEN, PAUSE)


def sign(secret: str, seconds: int) -> str:
    """Base64 of HMAC-SHA256 over nothing, keyed by time and secret on two lines."""
    digest = hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")
