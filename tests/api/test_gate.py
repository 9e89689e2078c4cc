"""The door: names for requests, a bound on how many are inside, and crashes that tell nothing."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from service.api.gate import Gate
from tests.api.conftest import ADMIN, CLEAN, Running, message


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("trace-1.a_B", True), ("x" * 128, True), ("x" * 129, False), ("a b", False), ("é", False), ("", False)],
)
async def test_a_clients_own_id_is_kept_when_it_is_sane(client: httpx.AsyncClient, sent: str, kept: bool) -> None:
    response = await client.post("/v1/moderate", json=message(), headers={b"X-Request-Id": sent.encode()})
    assert (response.headers["x-request-id"] == sent) is kept
    assert response.json()["request_id"] == response.headers["x-request-id"]


async def test_a_crash_tells_nothing(
    service: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def decide(self, sent: object) -> None:
            raise RuntimeError(f"secret: {CLEAN} {ADMIN}")

    events: list[dict[str, Any]] = []

    class Log:
        def error(self, event: str, **fields: Any) -> None:
            events.append({"event": event, **fields})

    monkeypatch.setattr(service.state["pipeline"].live, "engine", Broken())
    monkeypatch.setitem(cast(dict[str, Any], service.state), "log", Log())
    for path in ("moderate", "moderate/batch"):
        body = message() if path == "moderate" else {"messages": [message()]}
        response = await client.post(f"/v1/{path}", json=body)
        assert (response.status_code, response.json()["code"]) == (500, "internal")
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["x-request-id"] == response.json()["request_id"]
        assert "secret" not in response.text
        logged = events.pop()
        assert logged["request_id"] == response.json()["request_id"]
        assert logged["exception"] == "RuntimeError"
        assert CLEAN not in repr(logged)
        assert ADMIN not in repr(logged)


async def test_what_is_too_much_is_turned_away_and_what_is_inside_is_answered() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        entered.set()
        await leave.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    gate = Gate(slow, max_in_flight=1, max_body_bytes=10, hot={})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://test") as client:
        first = asyncio.create_task(client.get("/v1/x"))
        await entered.wait()
        second = await client.get("/v1/x")
        assert (second.status_code, second.json()["code"]) == (503, "saturated")
        assert second.headers["retry-after"] == "1"
        leave.set()
        assert (await first).status_code == 200
        assert (await client.get("/v1/x")).status_code == 200
        assert gate.in_flight == 0


async def test_whether_it_is_alive_is_answered_even_then() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    gate = Gate(app, max_in_flight=1, max_body_bytes=10, hot={})
    gate.in_flight = 1
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://test") as client:
        assert (await client.get("/livez")).status_code == 200


async def test_a_body_that_breaks_off_is_not_an_answer_to_half_of_it(service: Running) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b'{"text": "', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {ADMIN}".encode()), (b"content-type", b"application/json")]
    scope = {
        "type": "http", "method": "POST", "path": "/v1/moderate", "raw_path": b"/v1/moderate", "root_path": "",
        "query_string": b"", "headers": headers, "scheme": "http", "server": ("test", 80), "client": ("test", 1),
        "http_version": "1.1",
    }  # fmt: skip
    await service.asgi(scope, receive, send)
    assert sent[0]["status"] == 400
