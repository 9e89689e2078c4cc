"""Connections over the API: made, changed, rotated, forgotten; secrets that never come out; deadlines and fail actions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter, time
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from service.api.hooks import connected
from service.live import Live
from service.record.connection_schema import connections as table
from service.record.connections import revisions
from service.settings import Settings
from tests.api.conftest import CLEAN, Running, running
from tests.api.hooks.before import CASES, SECRET, payload_of
from tests.api.hooks.test_before import BLOCKED, body_of, call, connect, incidents, last_call, numbered

EASEMOB, OPENIM, TENCENT = CASES["easemob"], CASES["openim"], CASES["tencent_im"]
NEW_SECRET = "the-one-after-the-rotation"


def signed(case: Any = EASEMOB, text: str = BLOCKED, secret: str = SECRET) -> Any:
    return case.sign(numbered(payload_of(case.fixture, text), case), time(), secret)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def test_a_connection_from_its_making_to_its_end(service: Running) -> None:
    client = service.client
    made = await connect(service, EASEMOB, name="旗舰店", deadline_ms=180, language="en")
    assert made["url"] == f"http://test/v1/hooks/{made['id']}"
    shown = (await client.get(f"/v1/connections/{made['id']}")).json()
    assert {**shown, "url": made["url"]} == made
    assert (shown["deadline_ms"], shown["fail_action"], shown["has_secret"]) == (180, "allow", True)
    assert (await client.get("/v1/connections")).json()["items"] == [shown]
    assert body_of(await call(service, made, signed()))["code"].startswith("Do not")

    changed = await client.patch(f"/v1/connections/{made['id']}", json={"enabled": False})
    assert (changed.json()["enabled"], changed.json()["name"]) == (False, "旗舰店")
    assert (await call(service, made, signed())).status_code == 404
    assert (await client.patch(f"/v1/connections/{made['id']}", json={"enabled": True})).status_code == 200
    assert body_of(await call(service, made, signed()))["valid"] is False

    assert (await client.delete(f"/v1/connections/{made['id']}")).status_code == 204
    assert (await call(service, made, signed())).status_code == 404
    assert (await client.get(f"/v1/connections/{made['id']}")).status_code == 404
    assert len(await incidents(service, made)) == 1
    actions = [each["action"] for each in (await client.get("/v1/audit")).json()["items"]]
    assert actions == [f"connection.{name}" for name in ("delete", "change", "change", "create")]


async def test_two_secrets_hold_while_a_rotation_overlaps(service: Running) -> None:
    made = await connect(service, EASEMOB)
    path = f"/v1/connections/{made['id']}/rotate"
    turned = await service.client.post(path, json={"secret": NEW_SECRET, "overlap_seconds": 600})
    assert turned.json()["overlap_until"] is not None
    for secret in (SECRET, NEW_SECRET):
        assert body_of(await call(service, made, signed(secret=secret)))["valid"] is False
    await service.client.post(path, json={"secret": "a third one", "overlap_seconds": 0})
    for secret in (SECRET, NEW_SECRET):
        assert (await call(service, made, signed(secret=secret))).status_code == 401
    assert body_of(await call(service, made, signed(secret="a third one")))["valid"] is False
    assert (await service.client.post(path, json={})).json()["errors"][0]["pointer"] == "/secret"


async def test_the_address_can_be_made_unguessable(service: Running) -> None:
    made = await connect(service, TENCENT, settings={"require_token": True})
    token = made["url"].rpartition("/")[2]
    assert len(token) >= 40
    assert (await call(service, made, signed(TENCENT))).status_code == 401
    request = signed(TENCENT)
    with_path = type(request)(request.body, request.query, request.headers, token)
    assert body_of(await call(service, made, with_path))["ErrorCode"] == 120_001
    with_query = type(request)(request.body, {**request.query, "token": token}, request.headers)
    assert body_of(await call(service, made, with_query))["ErrorCode"] == 120_001
    turned = await service.client.post(
        f"/v1/connections/{made['id']}/rotate", json={"token": True, "overlap_seconds": 0}
    )
    assert turned.json()["url"].rpartition("/")[2] != token
    assert (await call(service, made, with_path)).status_code == 401

    # OpenIM signs nothing: without a secret its plain address is taken, with one only that which holds it.
    plain = await service.client.post(
        "/v1/connections", json={"provider": "openim", "platform": "taobao", "shop_id": "s1"}
    )
    bare = OPENIM.sign(payload_of("openim", BLOCKED), time(), "x")
    assert body_of(await call(service, plain.json(), bare))["nextCode"] == 1


async def test_a_secret_is_nowhere_to_be_read(service: Running, capfd: pytest.CaptureFixture[str]) -> None:
    made = await connect(service, EASEMOB)
    path = f"/v1/connections/{made['id']}"
    answers = [
        await service.client.get(path),
        await service.client.get("/v1/connections"),
        await service.client.get(f"{path}/calls"),
        await service.client.patch(path, json={"settings": {"agents": ["a"]}}),
        await service.client.post(f"{path}/rotate", json={"secret": NEW_SECRET}),
        await service.client.post(f"{path}/test", json={}),
        await service.client.get("/v1/audit"),
        await service.client.get("/metrics"),
        await service.client.post(f"{path}/rotate", json={"secret": {"value": "s-1", "other": SECRET}}),
        await call(service, made, signed(secret="wrong")),
    ]
    async with service.state["database"].read() as connection:
        row = (await connection.execute(select(table))).one()
    told = [answer.text for answer in answers] + [str(row), *capfd.readouterr()]
    assert all(SECRET not in each and NEW_SECRET not in each for each in told)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("body", "pointer", "word"),
    [
        ({"provider": "icq"}, "/provider", "easemob"),
        ({"secret": None}, "/secret", "required"),
        ({"settings": {"agent": []}}, "/settings/agent", "agents"),
        ({"settings": {"agents": "kefu"}}, "/settings/agents", "array"),
        ({"provider": "chatwoot", "settings": {"rewrite": True}}, "/settings/rewrite", "refuse"),
        ({"provider": "tencent_im", "settings": {"error_code": 3}}, "/settings", "error_code"),
        ({"provider": "wecom"}, "/secret", "corp_id"),
        ({"deadline_ms": 5}, "/deadline_ms", "20"),
        ({"fail_action": "warn"}, "/fail_action", "block"),
        ({"colour": "red"}, "/colour", "permitted"),
    ],
)
async def test_what_does_not_fit_is_pointed_at(shared: Running, body: dict[str, Any], pointer: str, word: str) -> None:
    given = {"provider": "easemob", "secret": SECRET, "platform": "taobao", "shop_id": "s1"} | body
    refused = await shared.client.post("/v1/connections", json=given)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == pointer
    assert word in error["detail"]
    assert SECRET not in refused.text


async def test_tenants_do_not_see_each_others(service: Running) -> None:
    made = await connect(service, EASEMOB)
    async with service.as_key(await service.key("admin", "other")) as other:
        assert (await other.get("/v1/connections")).json()["items"] == []
        path = f"/v1/connections/{made['id']}"
        answers = [
            await other.get(path),
            await other.get(f"{path}/calls"),
            await other.patch(path, json={"enabled": False}),
            await other.post(f"{path}/rotate", json={"secret": "x"}),
            await other.post(f"{path}/test", json={}),
            await other.delete(path),
        ]
    assert [answer.status_code for answer in answers] == [404] * 6
    assert body_of(await call(service, made, signed()))["valid"] is False


async def test_the_last_fifty_calls_are_kept(service: Running) -> None:
    made = await connect(service, EASEMOB)
    await asyncio.gather(*(call(service, made, signed(secret="wrong")) for _ in range(55)))
    await call(service, made, signed(text=CLEAN))
    calls = (await service.client.get(f"/v1/connections/{made['id']}/calls")).json()
    assert len(calls) == 50
    assert [each["verdict"] for each in calls[:2]] == ["allow", "refused"]
    assert calls[0]["latency_ms"] > 0


@asynccontextmanager
async def second(live: Live, settings: Settings) -> AsyncIterator[Running]:
    """Another process over the same store."""
    async with running(live, settings) as started:
        yield started


async def test_every_worker_follows_within_a_second(service: Running, live: Live, settings: Settings) -> None:
    async with second(live, settings) as other:
        made = await connect(service, EASEMOB)
        assert body_of(await call(other, made, signed()))["valid"] is False
        await service.client.patch(f"/v1/connections/{made['id']}", json={"enabled": False})
        began = perf_counter()
        while (await call(other, made, signed(secret="wrong"))).status_code != 404:
            await asyncio.sleep(0.02)
            assert perf_counter() - began < 1.5
        assert perf_counter() - began < 1.0


async def test_ids_that_are_guessed_cost_one_look_for_all(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    original = revisions

    async def counted(store: Any) -> dict[str, int]:
        nonlocal looks
        looks += 1
        return await original(store)

    monkeypatch.setattr(connected, "revisions", counted)
    answers = await asyncio.gather(*(call(service, {"id": f"guess-{i}"}, signed()) for i in range(50)))
    assert {answer.status_code for answer in answers} == {404}
    assert looks < 10


class Hanging:
    """A lock on the store that another transaction holds."""

    def __init__(self, service: Running) -> None:
        self._service = service

    async def __aenter__(self) -> None:
        self._open = self._service.state["database"].write()
        self._connection = await self._open.__aenter__()
        if not self._service.state["database"].is_sqlite:
            tables = "replies, incidents, connections, shops"
            await self._connection.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))

    async def __aexit__(self, *_: object) -> None:
        await self._open.__aexit__(None, None, None)


async def test_a_store_that_hangs_does_not_change_the_decision(service: Running) -> None:
    made = await connect(service, EASEMOB, deadline_ms=150)
    async with Hanging(service):
        began = perf_counter()
        assert body_of(await call(service, made, signed()))["valid"] is False
        assert body_of(await call(service, made, signed(text=CLEAN))) == {"valid": True}
        assert perf_counter() - began < 1.0
    for _ in range(200):
        if found := await incidents(service, made):
            break
        await asyncio.sleep(0.02)
    assert [each["decision"] for each in found] == ["block"]


async def test_a_repeat_of_an_allow_is_answered_as_before_whatever_would_be_decided_now(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, clean = await connect(service, EASEMOB), signed(text=CLEAN)
    assert body_of(await call(service, made, clean)) == {"valid": True}
    monkeypatch.setattr(service.state["pipeline"], "decide", None)
    async with Hanging(service):
        assert body_of(await call(service, made, clean)) == {"valid": True}
    assert (await last_call(service, made))["verdict"] == "allow"


@pytest.mark.parametrize("fail_action", ["allow", "block"])
async def test_the_fail_action_answers_where_nothing_was_decided(
    service: Running, monkeypatch: pytest.MonkeyPatch, fail_action: str
) -> None:
    made = await connect(service, EASEMOB, fail_action=fail_action, deadline_ms=50)

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(service.state["pipeline"], "moderate", never)
    began = perf_counter()
    answer = body_of(await call(service, made, signed()))
    assert perf_counter() - began < 1.0
    assert answer["valid"] is (fail_action == "allow")
    assert fail_action == "allow" or answer["code"]
    noted = await last_call(service, made)
    assert (noted["verdict"], noted["reason"]) == ("failed", f"no decision in time; answered: {fail_action}")


async def test_a_crash_on_the_road_is_the_fail_actions(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await connect(service, EASEMOB, fail_action="block")

    async def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(service.state["pipeline"], "moderate", crash)
    assert body_of(await call(service, made, signed()))["valid"] is False


async def test_a_secret_of_another_key_is_not_used(service: Running, live: Live, settings: Settings) -> None:
    made = await connect(service, EASEMOB)
    other = settings.model_copy(update={"secret_key": SecretStr("quite another key for this")})
    async with running(live, other) as started:
        assert (await call(started, made, signed())).status_code == 503
        assert (await started.client.get(f"/v1/connections/{made['id']}")).status_code == 200
        turn = {"secret": NEW_SECRET, "token": True}
        turned = await started.client.post(f"/v1/connections/{made['id']}/rotate", json=turn)
        assert turned.status_code == 200
        assert body_of(await call(started, made, signed(secret=NEW_SECRET)))["valid"] is False


@pytest.mark.asyncio(loop_scope="module")
async def test_bodies_over_the_cap_are_not_read(shared: Running) -> None:
    made = await connect(shared, EASEMOB)
    request = signed(text="好" * 100_000)
    assert (await call(shared, made, request)).status_code == 413
    long = body_of(await call(shared, made, signed(text=f"{'好' * 12_000}。这双是高仿的")))
    assert long["valid"] is False


@pytest.mark.asyncio(loop_scope="module")
async def test_the_tools_are_listed(shared: Running) -> None:
    tools = {each["provider"]: each for each in (await shared.client.get("/v1/providers")).json()}
    assert {"tencent_im", "easemob", "yunxin", "rongcloud", "stream", "openim"} <= set(tools)
    assert tools["easemob"]["deadline_ms"] == 150
    assert "agents" in tools["easemob"]["settings"]["properties"]
    assert tools["yunxin"]["experimental"]
    assert all(each["delivery"] in ("before", "after") for each in tools.values())
