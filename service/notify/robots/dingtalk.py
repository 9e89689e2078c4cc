"""DingTalk's custom robot: markdown; signed by two parameters of the address.

Signature, time in milliseconds and errcode as its documentation says (open.dingtalk.com, custom robot access). At most 20
messages a minute, or the robot is silenced for ten minutes. UNVERIFIED: that 130101 and 410100 mean just that.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import quote_plus

import msgspec

from service.notify.exchange import Answer, Outgoing, Verdict
from service.notify.robots.verdict import judge_by_body
from service.notify.robots.words import lines_of, link_of, plain, title_of
from service.record.event import Event

TOO_OFTEN = (130101, 410100)
PAUSE = 600.0


class DingTalkRobot:
    """Speaks to a group."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def write(self, event: Event, url: str, secrets: tuple[str, ...], now: datetime) -> Outgoing:
        if secrets:
            millis = int(now.timestamp() * 1000)
            url += f"{'&' if '?' in url else '?'}timestamp={millis}&sign={quote_plus(sign(secrets[0], millis))}"
        title = title_of(event)
        parts = [f"#### {title}", *(f"- {label}：{plain(value)}" for label, value in lines_of(event))]
        if link := link_of(event, self._public_url):
            parts.append(f"\n[查看详情]({link})")
        body = {"msgtype": "markdown", "markdown": {"title": title, "text": "\n".join(parts)}}
        return Outgoing(url, msgspec.json.encode(body), {"Content-Type": "application/json; charset=utf-8"})

    def judge(self, answer: Answer) -> Verdict:
        return judge_by_body(answer, ("errcode",), ("errmsg",), TOO_OFTEN, PAUSE)


def sign(secret: str, millis: int) -> str:
    """Base64 of HMAC-SHA256, keyed by the secret, over time and secret on two lines."""
    digest = hmac.new(secret.encode(), f"{millis}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")
