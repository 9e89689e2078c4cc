"""Each tool against a running service: what is proved, what is read, what it is answered, and what a repeat costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from time import time
from typing import Any

import httpx
import pytest
from stream_chat.webhook import verify_signature

from service.api.hooks.registry import TOOLS
from service.api.hooks.tool import Call, TokenSecret
from tests.api.conftest import CLEAN, Running
from tests.api.hooks.before import CASES, SECRET, TENCENT, Case, Request, payload_of, tencent

pytestmark = pytest.mark.asyncio(loop_scope="module")
BLOCKED = "这双是高仿的，做工和专柜一样"
WARNED = "这款全网最低价哦"
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
BEFORE = pytest.mark.parametrize("case", [case for case in CASES.values() if not case.after], ids=lambda c: c.fixture)
NUMBERS = count(1000)
TIME = datetime(2026, 1, 1, tzinfo=UTC)


def numbered(payload: dict[str, Any], case: Case) -> dict[str, Any]:
    """A message of its own: with an id that no other test has sent."""
    number = str(next(NUMBERS))
    ids = ("MsgKey", "MsgId", "Random", "callId", "msgidClient", "messageId", "clientMsgID", "message_id", "post_id")
    found = payload | {name: number for name in ids if payload.get(name)}
    if case.provider == "stream":
        found["message"] = found["message"] | {"id": number}
    if "messages" in found:
        found["messages"] = [each | {"_id": f"{number}-{each['_id']}"} for each in found["messages"]]
    return found


async def connect(shared: Running, case: Case, **fields: Any) -> dict[str, Any]:
    body = {"provider": case.provider, "secret": SECRET, "platform": "taobao", "shop_id": f"shop-{next(NUMBERS)}"}
    # Long, so that a busy machine does not answer for the store.
    made = await shared.client.post("/v1/connections", json=body | {"deadline_ms": 10_000} | fields)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def call(shared: Running, connection: dict[str, Any], request: Request) -> httpx.Response:
    """As the tool would, without a key of ours."""
    path = f"/v1/hooks/{connection['id']}" + (f"/{request.rest}" if request.rest else "")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shared.asgi), base_url="http://test") as client:
        return await client.post(path, params=request.query, headers=request.headers, content=request.body)


async def incidents(shared: Running, connection: dict[str, Any]) -> list[dict[str, Any]]:
    found = await shared.client.get("/v1/incidents", params={"connection_id": connection["id"]})
    items: list[dict[str, Any]] = found.json()["items"]
    return items


async def last_call(shared: Running, connection: dict[str, Any]) -> dict[str, Any]:
    found = await shared.client.get(f"/v1/connections/{connection['id']}/calls")
    newest: dict[str, Any] = found.json()[0]
    return newest


def body_of(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json() if answer.content else None


def is_refusal(case: Case, body: Any) -> bool:
    """By each vendor's documents."""
    judges: dict[str, Callable[[], Any]] = {
        "tencent_im": lambda: body["ErrorCode"] == 120_001 and body["ErrorInfo"] and body["ActionStatus"] == "OK",
        "easemob": lambda: (
            body["valid"] is False and body["code"] and len(json.dumps(body, ensure_ascii=False)) <= 1000
        ),
        "yunxin": lambda: body["errCode"] == 1 and body["responseCode"] == 20_000,
        "rongcloud": lambda: body == {"pass": 0},
        "stream": lambda: body["message"]["type"] == "error" and body["message"]["text"],
        "openim": lambda: body["actionCode"] == 0 and body["nextCode"] == 1 and body["errCode"] and body["errMsg"],
    }
    return bool(judges[case.provider]())


@EVERY
async def test_allow_block_warn_and_a_repeat(shared: Running, case: Case) -> None:
    connection = await connect(shared, case)
    clean = case.sign(numbered(payload_of(case.fixture, CLEAN), case), time(), SECRET)
    assert body_of(await call(shared, connection, clean)) == case.allowed
    assert (await incidents(shared, connection)) == []

    bad = numbered(payload_of(case.fixture, BLOCKED), case)
    first = body_of(await call(shared, connection, case.sign(bad, time(), SECRET)))
    again = body_of(await call(shared, connection, case.sign(bad, time(), SECRET)))
    assert first == again
    assert case.after or is_refusal(case, first)
    assert not case.after or first == {}
    (incident,) = await incidents(shared, connection)
    assert incident["attempts"] == 1
    assert incident["decision"] == "block"
    assert incident["text"] == BLOCKED
    assert incident["agent_id"] == case.agent
    assert incident["conversation_id"] == case.conversation
    assert (incident["provider"], incident["after_delivery"]) == (case.provider, case.after)

    warned = case.sign(numbered(payload_of(case.fixture, WARNED), case), time(), SECRET)
    assert body_of(await call(shared, connection, warned)) == case.allowed
    assert [each["decision"] for each in await incidents(shared, connection)] == ["warn", "block"]
    assert (await last_call(shared, connection))["verdict"] == "warn"


@EVERY
async def test_what_is_not_proved_is_refused(shared: Running, case: Case) -> None:
    connection = await connect(shared, case)
    payload = numbered(payload_of(case.fixture, BLOCKED), case)
    answers = [await call(shared, connection, case.sign(payload, time(), "another secret of theirs"))]
    if case.window is not None:
        answers += [
            await call(shared, connection, case.sign(payload, time() + off, SECRET))
            for off in (-case.window - 5, case.window + 5)
        ]
    if case.covers_body:
        signed = case.sign(payload, time(), SECRET)
        other = case.sign(payload_of(case.fixture, CLEAN), time(), SECRET)
        answers.append(await call(shared, connection, replace(signed, body=other.body)))
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(401, "hook_refused")] * len(answers)
    assert all(SECRET not in answer.text for answer in answers)
    noted = await last_call(shared, connection)
    assert (noted["verdict"], noted["messages"]) == ("refused", 0)
    assert noted["reason"]
    assert await incidents(shared, connection) == []


@EVERY
async def test_customers_and_unknown_events_pass_unchecked(shared: Running, case: Case) -> None:
    connection = await connect(shared, case, settings={"agents": ["desk_*"]})
    payload = numbered(payload_of(case.fixture, BLOCKED), case)
    name, value = case.sender
    for changes, why in (({name: value}, "customer"), (case.unknown, "unknown event")):
        answer = await call(shared, connection, case.sign(payload | dict(changes), time(), SECRET))
        assert body_of(answer) == case.allowed
        noted = await last_call(shared, connection)
        assert (noted["verdict"], noted["reason"]) == ("ignored", why)
    assert await incidents(shared, connection) == []
    checked = body_of(await call(shared, connection, case.sign(payload, time(), SECRET)))
    assert case.after or is_refusal(case, checked)


@BEFORE
async def test_masked_instead_of_refused(shared: Running, case: Case) -> None:
    connection = await connect(shared, case, settings={"rewrite": True})
    payload = numbered(payload_of(case.fixture, BLOCKED), case)
    answer = body_of(await call(shared, connection, case.sign(payload, time(), SECRET)))
    if case.provider == "openim":
        assert answer == case.allowed
        payload["callbackCommand"] = "callbackBeforeMsgModifyCommand"
        answer = body_of(await call(shared, connection, case.sign(payload, time(), SECRET)))
    masked = {
        "tencent_im": lambda: answer["MsgBody"][0]["MsgContent"]["Text"],
        "easemob": lambda: answer["payload"]["bodies"][0]["msg"],
        "yunxin": lambda: answer["modifyResponse"]["body"],
        "rongcloud": lambda: json.loads(answer["content"])["content"],
        "stream": lambda: answer["message"]["text"],
        "openim": lambda: json.loads(answer["content"])["content"],
    }[case.provider]()
    assert masked == BLOCKED.replace("高仿", "**")
    assert [each["decision"] for each in await incidents(shared, connection)] == ["block"]


@EVERY
async def test_the_sample_that_a_test_of_the_connection_runs(shared: Running, case: Case) -> None:
    connection = await connect(shared, case)
    tried = await shared.client.post(f"/v1/connections/{connection['id']}/test", json={"text": BLOCKED})
    assert tried.status_code == 200, tried.text
    (message,) = tried.json()["messages"]
    assert (message["text"], message["decision"]) == (BLOCKED, "block")
    assert message["findings"][0]["text"] == "高仿"
    assert case.after or is_refusal(case, tried.json()["answer"])
    assert await incidents(shared, connection) == []


HOSTILE: tuple[Any, ...] = (None, 7, True, "", "\\ud83d", [], [[]], {}, {"a": 1}, 10**30, "x" * 300, -1.5)


def broken(payload: Any) -> Iterator[Any]:
    """The payload with each of its fields of another kind, or gone."""
    for name, value in payload.items() if isinstance(payload, dict) else enumerate(payload):
        for other in HOSTILE:
            changed = payload.copy()
            changed[name] = other
            yield changed
        if isinstance(value, dict | list):
            for inner in broken(value):
                changed = payload.copy()
                changed[name] = inner
                yield changed


@pytest.mark.parametrize("name", sorted({case.fixture for case in CASES.values()}))
async def test_no_shape_of_a_payload_breaks_the_reading(name: str) -> None:
    tool = TOOLS[name.removesuffix("_group").removesuffix("_omnichannel")]
    settings = tool.settings(rewrite=True)
    for payload in broken(payload_of(name, BLOCKED)):
        headers = {"content-type": "application/json"}
        call = Call("POST", "", {}, headers, json.dumps(payload).encode(), TIME)
        reading = tool.read(payload, call, settings)
        assert reading.messages or reading.ignored or reading.messages == ()
        for message in reading.messages:
            assert isinstance(message.text, str)
            json.dumps([message.agent_id, message.delivery_id, message.conversation_id, message.customer_id])


async def test_a_signed_id_is_for_one_content_another_id_is_checked_anew(shared: Running) -> None:
    case = CASES["easemob"]
    connection = await connect(shared, case)
    allowed = numbered(payload_of("easemob", CLEAN), case)
    assert body_of(await call(shared, connection, case.sign(allowed, time(), SECRET))) == {"valid": True}
    changed = allowed | {"payload": payload_of("easemob", BLOCKED)["payload"]}
    answer = await call(shared, connection, case.sign(changed, time(), SECRET))
    assert (answer.status_code, answer.json()["code"]) == (401, "hook_refused")

    case = CASES["openim"]
    connection = await connect(shared, case)
    allowed = numbered(payload_of("openim", CLEAN), case)
    assert body_of(await call(shared, connection, case.sign(allowed, time(), SECRET)))["nextCode"] == 0
    changed = allowed | {"content": payload_of("openim", BLOCKED)["content"]}
    assert body_of(await call(shared, connection, case.sign(changed, time(), SECRET)))["nextCode"] == 1


async def test_tencents_own_vector_and_application(shared: Running) -> None:
    """cloud.tencent.com/document/product/269/117703: Token xxxxyyyy, RequestTime 1669872112."""
    query = {
        "Sign": "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061",
        "RequestTime": "1669872112",
    }
    at = datetime.fromtimestamp(1_669_872_112, UTC)
    tool = TOOLS["tencent_im"]
    assert tool.verify(Call("POST", "", query, {}, b"{}", at), TokenSecret("xxxxyyyy"), tool.settings()) == {}
    connection = await connect(shared, CASES["tencent_im"], settings={"sdk_app_id": "1499"})
    request = tencent(payload_of("tencent_im", BLOCKED), time(), SECRET)
    answer = await call(shared, connection, request)
    assert answer.json()["detail"] == "query parameter SdkAppid is of another application"
    own = replace(request, query={**request.query, "SdkAppid": "1499"})
    assert body_of(await call(shared, connection, own))["ErrorCode"] == 120_001


async def test_parts_are_joined_and_what_is_not_seen_is_named(shared: Running) -> None:
    case = CASES["tencent_im"]
    connection = await connect(shared, case)
    split = numbered(payload_of("tencent_im", "这双是"), case)
    split["MsgBody"] += [
        {"MsgType": "TIMTextElem", "MsgContent": {"Text": "高仿的"}},
        {"MsgType": "TIMSoundElem", "MsgContent": {"UUID": "x"}},
        {"MsgType": "TIMImageElem", "MsgContent": {"ImageInfoArray": [{"Type": 1, "URL": "http://p.test/1.png"}]}},
    ]
    assert body_of(await call(shared, connection, case.sign(split, time(), SECRET)))["ErrorCode"] == 120_001
    tried = await shared.client.post(f"/v1/connections/{connection['id']}/test", json={"body": split})
    (message,) = tried.json()["messages"]
    assert message["text"] == "这双是\n高仿的"
    assert "voice: not inspected" in message["degraded"]
    assert any(each.startswith("qr_image: ") for each in message["degraded"])


async def test_only_a_voice_passes_and_is_named(shared: Running) -> None:
    case = CASES["tencent_im"]
    connection = await connect(shared, case)
    voice = numbered(payload_of("tencent_im", ""), case)
    voice["MsgBody"] = [{"MsgType": "TIMSoundElem", "MsgContent": {"UUID": "x"}}]
    assert body_of(await call(shared, connection, case.sign(voice, time(), SECRET))) == TENCENT
    assert (await last_call(shared, connection))["verdict"] == "allow"


async def test_stream_signs_as_its_own_package_does(shared: Running) -> None:
    request = CASES["stream"].sign(payload_of("stream", BLOCKED), time(), SECRET)
    assert verify_signature(request.body, request.headers["X-Signature"], SECRET)
    tool = TOOLS["stream"]
    headers = {name.lower(): value for name, value in request.headers.items()}
    payload = tool.verify(Call("POST", "", {}, headers, request.body, TIME), TokenSecret(SECRET), tool.settings())
    assert payload["message"]["text"] == BLOCKED


async def test_a_bomb_is_not_unpacked(shared: Running) -> None:
    case = CASES["stream, gzip"]
    connection = await connect(shared, case)
    bomb = case.sign(payload_of("stream", "好" * 2_000_000), time(), SECRET)
    answer = await call(shared, connection, bomb)
    assert (answer.status_code, "unzipped" in answer.json()["detail"]) == (400, True)
