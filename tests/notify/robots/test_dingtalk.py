from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from service.notify.exchange import Answer, Heard, NotHeard
from service.notify.robots.dingtalk import PAUSE, DingTalkRobot, sign
from tests.notify.robots.events import HARMLESS, INCIDENT, NOW, PUBLIC

URL = "https://oapi.dingtalk.com/robot/send?access_token=abc"


def test_the_message() -> None:
    outgoing = DingTalkRobot(PUBLIC).write(INCIDENT, URL, (), NOW)
    assert outgoing.url == URL
    body = json.loads(outgoing.body)
    assert (body["msgtype"], body["markdown"]["title"]) == ("markdown", "【慎言】客服消息违规")
    assert body["markdown"]["text"].split("\n") == [
        "#### 【慎言】客服消息违规",
        "- 平台：拼多多",
        "- 店铺：shop-1",
        f"- 客服：{HARMLESS}",
        "- 处理：拦截",
        "- 程度：高",
        "- 类别：联系方式、假冒",
        "- 条款：pinduoduo 2.2",
        "- 扣分：1",
        "",
        "[查看详情](https://shenyan.example/v1/incidents/01a3)",
    ]


def test_without_a_public_address_there_is_no_link() -> None:
    assert b"](http" not in DingTalkRobot("").write(INCIDENT, URL, (), NOW).body.replace(b"\\\\", b"")[-80:]


def test_the_signature() -> None:
    outgoing = DingTalkRobot("").write(INCIDENT, URL, ("SEC123",), NOW)
    query = parse_qs(urlsplit(outgoing.url).query)
    assert query["access_token"] == ["abc"]
    assert query["timestamp"] == [str(int(NOW.timestamp()) * 1000)]
    assert query["sign"] == [sign("SEC123", int(NOW.timestamp()) * 1000)]
    # openssl dgst -sha256 -hmac 'this is secret' -binary | base64, over the two lines
    assert sign("this is secret", 1577262236757) == "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b'{"errcode":0,"errmsg":"ok"}', Heard()),
        (200, b'{"errcode":310000,"errmsg":"sign not match"}', NotHeard("refused with code 310000: sign not match")),
        (200, b'{"errcode":130101,"errmsg":"too fast"}', NotHeard("refused with code 130101: too fast", PAUSE)),
        (200, b"<html>", NotHeard("answered 200 without saying whether it was taken")),
        (200, b"{}", NotHeard("refused with code None: no reason given")),
        (500, b"", NotHeard("answered 500")),
    ],
)
def test_the_answer(status: int, body: bytes, verdict: object) -> None:
    assert DingTalkRobot("").judge(Answer(1.0, status, body=body)) == verdict
