"""WeCom's group robot: markdown of at most 4,096 bytes; the key in its address is the only proof.

Body and errcode as its documentation says (developer.work.weixin.qq.com, group robot). At most 20 messages a minute; 45009
says that there were more.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from service.notify.exchange import Answer, Outgoing, Verdict
from service.notify.robots.verdict import judge_by_body
from service.notify.robots.words import lines_of, link_of, plain, title_of
from service.record.event import Event

TOO_OFTEN = (45009,)
PAUSE = 60.0
MAX_BYTES = 4096


class WeComRobot:
    """Speaks to a group."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def write(self, event: Event, url: str, secrets: tuple[str, ...], now: datetime) -> Outgoing:
        parts = [f"**{title_of(event)}**"]
        link = link_of(event, self._public_url)
        tail = f"\n[查看详情]({link})" if link else ""
        for label, value in lines_of(event):
            line = f">{label}：{plain(value)}"
            if len("\n".join([*parts, line, tail]).encode()) <= MAX_BYTES:
                parts.append(line)
        body = {"msgtype": "markdown", "markdown": {"content": "\n".join(parts) + tail}}
        return Outgoing(url, msgspec.json.encode(body), {"Content-Type": "application/json; charset=utf-8"})

    def judge(self, answer: Answer) -> Verdict:
        return judge_by_body(answer, ("errcode",), ("errmsg",), TOO_OFTEN, PAUSE)
