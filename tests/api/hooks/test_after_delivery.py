"""The tools that tell us after the fact, posted to a running service: what they are answered, and what is kept."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from tests.api.conftest import Running
from tests.api.hooks.after import SECRETS, payload_of, signed
from tests.api.hooks.test_news import NEWS, SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANSWERS: dict[str, Any] = {"sobot": {"ret_code": "000000"}}
PROVIDERS = sorted(set(SECRETS) - {"wecom"})


async def connect(service: Running, provider: str, secret: Any = None, **fields: Any) -> str:
    """The path of a new connection's address."""
    body = {"provider": provider, "secret": secret or SECRETS[provider], "platform": "kuaishou", "shop_id": "shop-1"}
    answer = await service.client.post("/v1/connections", json={**body, **fields})
    assert answer.status_code == 201, answer.text
    return httpx.URL(answer.json()["url"]).path


async def send(service: Running, path: str, provider: str, payload: Any, *, forged: bool = False) -> httpx.Response:
    """As the tool sends it now, without a key."""
    proofs, query, body = signed(provider, payload, int(time.time()))
    if forged:
        proofs, query = dict.fromkeys(proofs, "x"), dict.fromkeys(query, "x")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service.asgi), base_url="http://test") as tool:
        return await tool.post(path, params=query, headers=proofs, content=body)


async def incidents(service: Running, path: str) -> list[dict[str, Any]]:
    connection_id = path.split("/")[3]
    answer = await service.client.get("/v1/incidents", params={"connection_id": connection_id})
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_sent_message_becomes_an_incident_once(shared: Running, provider: str) -> None:
    # An agent of its own: the same words of one agent soon after count as one more attempt.
    path = await connect(shared, provider, shop_id=f"shop-{provider}")
    for _ in range(2):
        answer = await send(shared, path, provider, payload_of(provider))
        assert (answer.status_code, answer.json()) == (200, ANSWERS.get(provider, {}))
    (incident,) = await incidents(shared, path)
    assert (incident["decision"], incident["provider"], incident["after_delivery"]) == ("block", provider, True)
    # LiveChat's proof is in the body.
    forged = payload_of(provider) | ({"secret_key": "x"} if provider == "livechat" else {})
    assert (await send(shared, path, provider, forged, forged=True)).status_code == 401
    unknown = await send(shared, path, provider, {"secret_key": SECRETS["livechat"], **token_of(provider)})
    assert unknown.status_code == 200
    assert len(await incidents(shared, path)) == 1


def token_of(provider: str) -> dict[str, Any]:
    return {"token": "feishu-own-token"} if provider == "feishu" else {}


async def test_a_block_is_answered_at_once_and_taken_back_behind_it(shared: Running) -> None:
    asked: list[tuple[str, str]] = []
    let_go = asyncio.Event()

    async def helpdesk(request: httpx.Request) -> httpx.Response:
        await let_go.wait()
        asked.append((request.method, request.url.path))
        return httpx.Response(200, json={})

    secret = {"value": SECRETS["chatwoot"], "api_token": "t"}
    settings = {"note": True, "retract": True, "api_base": "https://chat.test"}
    path = await connect(shared, "chatwoot", secret, settings=settings, shop_id="shop-taken-back")
    hooks = shared.state["hooks"]
    before, hooks.client._transport = hooks.client._transport, httpx.MockTransport(helpdesk)
    try:
        assert (await send(shared, path, "chatwoot", payload_of("chatwoot"))).status_code == 200
        assert asked == []
        let_go.set()
        await hooks.follow_ups.close(5)
    finally:
        hooks.client._transport = before
    messages = "/api/v1/accounts/4/conversations/88/messages"
    assert asked == [("DELETE", f"{messages}/7301"), ("POST", messages)]
    await hooks.journal.flush()
    calls = (await shared.client.get(f"/v1/connections/{path.split('/')[3]}/calls")).json()
    assert sorted(call["verdict"] for call in calls) == ["block", "followed_up"]


async def test_what_wecom_announces_goes_the_same_road(shared: Running) -> None:
    page = payload_of("wecom")
    page["msg_list"][0]["send_time"] = int(time.time()) + 60

    async def wecom(request: httpx.Request) -> httpx.Response:
        is_token = request.url.path.endswith("gettoken")
        return httpx.Response(200, json={"errcode": 0, "access_token": "lent"} if is_token else page)

    path = await connect(shared, "wecom", SECRET, shop_id="shop-wecom")
    hooks = shared.state["hooks"]
    before, hooks.client._transport = hooks.client._transport, httpx.MockTransport(wecom)
    try:
        for _ in range(2):
            answer = await send(shared, path, "wecom", NEWS)
            assert (answer.status_code, answer.content) == (200, b"")
            await hooks.news.close(10)
    finally:
        hooks.client._transport = before
    (incident,) = await incidents(shared, path)
    assert (incident["provider"], incident["after_delivery"], incident["agent_id"]) == ("wecom", True, "31")


async def test_a_secret_may_be_a_plain_string_or_an_object(shared: Running) -> None:
    await connect(shared, "dingtalk", "a string")
    await connect(shared, "slack", {"value": "s", "api_token": "t"})
    body = {"provider": "feishu", "secret": {}, "platform": "kuaishou", "shop_id": "shop-1"}
    answer = await shared.client.post("/v1/connections", json=body)
    assert answer.status_code == 422, json.dumps(answer.json())
