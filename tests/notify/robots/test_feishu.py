from __future__ import annotations

import json

import pytest

from service.notify.exchange import Answer, Heard, NotHeard
from service.notify.robots.feishu import PAUSE, FeishuRobot, sign
from tests.notify.robots.events import INCIDENT, NOW, PUBLIC

URL = "https://open.feishu.cn/open-apis/bot/v2/hook/xyz"


def test_the_message() -> None:
    body = json.loads(FeishuRobot(PUBLIC).write(INCIDENT, URL, (), NOW).body)
    assert set(body) == {"msg_type", "content"}
    post = body["content"]["post"]["zh_cn"]
    assert (body["msg_type"], post["title"]) == ("post", "【慎言】客服消息违规")
    *texts, link = [line[0] for line in post["content"]]
    assert {each["tag"] for each in texts} == {"text"}
    assert [each["text"] for each in texts][:2] == ["平台：拼多多", "店铺：shop-1"]
    assert link == {"tag": "a", "text": "查看详情", "href": "https://shenyan.example/v1/incidents/01a3"}


def test_the_signature() -> None:
    body = json.loads(FeishuRobot("").write(INCIDENT, URL, ("secret",), NOW).body)
    seconds = int(NOW.timestamp())
    assert (body["timestamp"], body["sign"]) == (str(seconds), sign("secret", seconds))
    # openssl dgst -sha256 -hmac with time and secret on two lines as the key, over nothing
    assert sign("demo", 1599360473) == "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"code":0,"msg":"success","data":{}}', Heard()),
        (b'{"StatusCode":0,"StatusMessage":"success"}', Heard()),
        (b'{"code":19021,"msg":"sign match fail"}', NotHeard("refused with code 19021: sign match fail")),
        (b'{"code":11232,"msg":"frequency limited"}', NotHeard("refused with code 11232: frequency limited", PAUSE)),
    ],
)
def test_the_answer(body: bytes, verdict: object) -> None:
    assert FeishuRobot("").judge(Answer(1.0, 200, body=body)) == verdict
