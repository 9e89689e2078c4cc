from __future__ import annotations

import json

import msgspec
import pytest

from service.notify.exchange import Answer, Heard, NotHeard
from service.notify.robots.wecom import MAX_BYTES, PAUSE, WeComRobot
from tests.notify.robots.events import HARMLESS, INCIDENT, NOW, PUBLIC

URL = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abc"


def test_the_message() -> None:
    outgoing = WeComRobot(PUBLIC).write(INCIDENT, URL, (), NOW)
    assert outgoing.url == URL
    body = json.loads(outgoing.body)
    lines = body["markdown"]["content"].split("\n")
    assert body["msgtype"] == "markdown"
    assert lines[:4] == ["**【慎言】客服消息违规**", ">平台：拼多多", ">店铺：shop-1", f">客服：{HARMLESS}"]
    assert lines[-1] == "[查看详情](https://shenyan.example/v1/incidents/01a3)"


def test_a_long_one_stays_within_its_bytes_and_keeps_its_link() -> None:
    long = dict.fromkeys(("platform", "shop_id", "agent_id", "scheme", "reason", "url", "version"), "好" * 900)
    event = msgspec.structs.replace(INCIDENT, data=long | {"link": "/v1/incidents/01a3"})
    content = json.loads(WeComRobot(PUBLIC).write(event, URL, (), NOW).body)["markdown"]["content"]
    assert len(content.encode()) <= MAX_BYTES
    assert content.endswith("(https://shenyan.example/v1/incidents/01a3)")


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"errcode":0,"errmsg":"ok"}', Heard()),
        (b'{"errcode":93000,"errmsg":"invalid webhook url"}', NotHeard("refused with code 93000: invalid webhook url")),
        (b'{"errcode":45009,"errmsg":"too often"}', NotHeard("refused with code 45009: too often", PAUSE)),
    ],
)
def test_the_answer(body: bytes, verdict: object) -> None:
    assert WeComRobot("").judge(Answer(1.0, 200, body=body)) == verdict
