"""The Python client: verdicts as they come, one time for all tries, one charge for all tries, and a fail action."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from service.clients import shenyan_client
from service.clients.shenyan_client import AsyncClient, Client, Fields, Message, Rejected, Unavailable, Verdict, image
from tests.clients.conftest import Served
from tests.serving import clean_environment, free_port

BLOCKED, WARNED, CLEAN = "😊这款是高仿的", "这款全网最低价，放心买", "亲，已经为您安排发货了"
ALLOWED = {"decision": "allow", "findings": [], "masked_text": "", "degraded": []}
PROBLEM = {
    "code": "saturated",
    "detail": "later",
    "status": 503,
    "title": "",
    "type": "",
    "request_id": "r",
    "errors": [],
}
module = pytest.mark.asyncio(loop_scope="module")


def who(agent: str, message_id: str | None = None) -> Fields:
    return {"platform": "kuaishou", "shop_id": "s1", "agent_id": agent, "message_id": message_id}


@pytest_asyncio.fixture(loop_scope="module")
async def desk(served: Served) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(served.url, served.key, timeout=10) as desk:
        yield desk


# Against the service


@module
async def test_a_verdict_has_types_and_spans(desk: AsyncClient) -> None:
    verdict = await desk.moderate(BLOCKED, **who("a-types"))
    (found,) = verdict.findings
    assert (verdict.decision, verdict.degraded, verdict.failure, verdict.recorded) == ("block", (), None, "database")
    assert BLOCKED[found.start : found.end] == found.text == "高仿"
    assert (found.utf16_start, found.clauses) == (found.start + 1, ("kuaishou 2.8",))
    assert verdict.suggestion
    assert verdict.raw["versions"]["engine"]
    assert verdict.incident_id
    incident = await desk.incident(verdict.incident_id)
    assert (incident.id, incident.decision, incident.categories) == (verdict.incident_id, "block", ("counterfeit",))


@module
async def test_analyze_leaves_nothing(desk: AsyncClient, served: Served) -> None:
    verdict = await desk.analyze(BLOCKED, platform="kuaishou", agent_id="a-analyze", explain=True)
    assert (verdict.decision, verdict.incident_id) == ("block", None)
    assert await served.incidents(agent_id="a-analyze") == []


@module
async def test_a_batch_answers_each_in_its_place(desk: AsyncClient) -> None:
    good, bad, wrong = await desk.batch(
        [
            {"text": CLEAN, **who("a-batch")},
            {"text": BLOCKED, **who("a-batch")},
            {"text": CLEAN, "platform": "nowhere", "shop_id": "s1", "agent_id": "a-batch"},
        ]
    )
    assert isinstance(good, Verdict)
    assert isinstance(bad, Verdict)
    assert (good.decision, bad.decision) == ("allow", "block")
    assert isinstance(wrong, Rejected)
    assert (wrong.status, wrong.errors[0].pointer) == (422, "/platform")


@module
async def test_an_override_is_kept_and_may_be_said_twice(desk: AsyncClient) -> None:
    verdict = await desk.moderate(WARNED, **who("a-override"))
    assert (verdict.decision, bool(verdict.incident_id)) == ("warn", True)
    assert verdict.incident_id
    for _ in range(2):
        incident = await desk.override(verdict.incident_id, "the customer asked for it")
        assert incident.override_reason == "the customer asked for it"
    with pytest.raises(Rejected) as refused:
        await desk.override(verdict.incident_id, "another reason")
    assert (refused.value.status, refused.value.code) == (409, "not_overridable")


@module
async def test_what_is_wrong_is_said_with_its_place_whatever_the_fail_action(served: Served) -> None:
    async with AsyncClient(served.url, served.key, timeout=10, on_failure="allow") as desk:
        with pytest.raises(Rejected, match=r"422 malformed: .*/text") as refused:
            await desk.moderate("x" * 10_001, **who("a-wrong"))
        assert refused.value.errors[0].pointer == "/text"
        assert refused.value.request_id
        with pytest.raises(Rejected, match="404 not_found"):
            await desk.incident("../keys")
    async with AsyncClient(served.url, "no-such-key", timeout=10, on_failure="allow") as desk:
        with pytest.raises(Rejected, match="401 unauthorized"):
            await desk.moderate(CLEAN, **who("a-wrong"))


@module
async def test_languages_and_pictures(served: Served) -> None:
    async with AsyncClient(served.url, served.key, timeout=10, language="en") as desk:
        assert (await desk.analyze(BLOCKED, platform="kuaishou")).findings[0].reason.isascii()
        with pytest.raises(Rejected) as refused:
            await desk.analyze("", platform="kuaishou", attachments=[image(b"no picture")])
        assert refused.value.errors[0].pointer.startswith("/attachments/0")


@module
@pytest.mark.parametrize("message_id", [None, "m-lost"])
async def test_a_lost_answer_is_asked_for_again_and_charged_once(served: Served, message_id: str | None) -> None:
    """The first answer is lost on its way: the message was recorded, the client does not know."""
    real, tries = httpx.AsyncHTTPTransport(), 0

    class Lossy(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal tries
            tries += 1
            response = await real.handle_async_request(request)
            if tries == 1:
                await response.aclose()
                raise httpx.ReadError("lost")
            return response

        async def aclose(self) -> None:
            await real.aclose()

    agent = f"a-lost-{message_id}"
    async with httpx.AsyncClient(transport=Lossy()) as http:
        desk = AsyncClient(served.url, served.key, timeout=10, http=http)
        verdict = await desk.moderate(BLOCKED, **who(agent, message_id))
    assert (tries, verdict.decision, verdict.replayed) == (2, "block", True)
    assert [each.id for each in await served.incidents(agent_id=agent)] == [verdict.incident_id]


@module
async def test_from_a_thread_it_says_the_same(served: Served) -> None:
    def ask() -> None:
        with Client(served.url, served.key, timeout=10) as desk:
            assert desk.moderate(BLOCKED, **who("a-thread", "m1")).decision == "block"
            assert desk.moderate(BLOCKED, **who("a-thread", "m1")).replayed
            warned = desk.moderate(WARNED, **who("a-thread"))
            assert desk.override(warned.incident_id or "", "so").override_reason == "so"
            assert desk.incident(warned.incident_id or "").state == "overridden"
            assert [type(each) for each in desk.batch([{"text": CLEAN, **who("a-thread")}])] == [Verdict]
            assert desk.analyze(CLEAN, platform="jd").decision == "allow"

    await asyncio.to_thread(ask)


# Without an answer


class Script:
    """A server that does one thing after the other, and keeps what it was asked."""

    def __init__(self, *steps: Callable[[], httpx.Response]) -> None:
        self.steps, self.asked = list(steps), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.steps.pop(0)() if self.steps else httpx.Response(200, json=ALLOWED)

    def client(self, **settings: Any) -> Client:
        return Client("http://test/", "k", http=httpx.Client(transport=httpx.MockTransport(self)), **settings)

    def async_client(self, **settings: Any) -> AsyncClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return AsyncClient("http://test/", "k", http=http, **settings)


def broken() -> httpx.Response:
    raise httpx.ConnectError("no")


def answer(status: int, body: Any = None, **headers: str) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(status, json={**PROBLEM, "status": status} if body is None else body, headers=headers)


AGAIN = [broken, answer(503), answer(429), answer(500), answer(502, "<html>"), answer(200, "no verdict")]


@pytest.mark.parametrize("step", AGAIN)
async def test_what_may_pass_is_tried_again_under_the_same_id(step: Callable[[], httpx.Response]) -> None:
    script = Script(step, step)
    assert script.client(timeout=10).moderate("", **who("a")).decision == "allow"
    assert (await script.async_client(timeout=10).moderate("", **who("a"))).decision == "allow"
    ids = [request.headers["Idempotency-Key"] for request in script.asked]
    assert (len(ids), len(set(ids[:3])), ids[3] not in ids[:3]) == (4, 1, True)


def test_an_id_of_ones_own_needs_no_other() -> None:
    script = Script(broken)
    script.client(timeout=10).moderate("", **who("a", "m1"))
    assert [json.loads(request.content)["message_id"] for request in script.asked] == ["m1", "m1"]
    assert not any("Idempotency-Key" in request.headers for request in script.asked)


@pytest.mark.parametrize("action", ["allow", "warn", "block"])
async def test_the_fail_action_decides_and_says_so(action: Any) -> None:
    script = Script(*[broken] * 99)
    spoken = {"timeout": 0.06, "on_failure": action, "language": "en"}
    for verdict in (
        script.client(**spoken).moderate(CLEAN, **who("a")),
        await script.async_client(**spoken).moderate(CLEAN, **who("a")),
    ):
        assert (verdict.decision, verdict.degraded) == (action, ("service: unreachable",))
        assert (verdict.masked_text, verdict.incident_id) == (CLEAN, None)
        assert bool(verdict.agent_message) is (action != "allow")
        assert isinstance(verdict.failure, Unavailable)
    (only,) = script.client(**spoken).batch([{"text": CLEAN, **who("a")}])
    assert isinstance(only, Verdict)
    assert only.decision == action


def test_without_a_fail_action_it_is_raised() -> None:
    script = Script(*[broken] * 99)
    with pytest.raises(Unavailable, match="unreachable"):
        script.client(timeout=0.02).moderate("", **who("a"))
    with pytest.raises(Unavailable, match="unreachable"):
        script.client(timeout=0.02).batch([])
    with pytest.raises(Unavailable, match="unreachable"):
        script.client(timeout=0.02, on_failure="allow").incident("i")


def test_a_pause_that_the_server_asks_for_is_kept_or_not_waited_for() -> None:
    started = time.monotonic()
    assert Script(answer(503, **{"Retry-After": "0"})).client(timeout=2).moderate("", **who("a")).decision == "allow"
    script = Script(answer(429, **{"Retry-After": "7"}))
    with pytest.raises(Unavailable, match="429") as refused:
        script.client().moderate("", **who("a"))
    assert (refused.value.retry_after, len(script.asked)) == (7, 1)
    assert time.monotonic() - started < 3


def test_a_place_of_a_batch_that_was_not_decided_gets_the_fail_action() -> None:
    results = [{"status": 503, "body": PROBLEM}, {"status": 200, "body": {}}, {"status": 200, "body": ALLOWED}]
    ask: list[Message] = [{"text": "1", **who("a")}, {"text": "2", **who("a")}, {"text": "3", **who("a")}]
    said = Script(answer(200, {"results": results})).client(on_failure="block").batch(ask)
    assert [each.decision for each in said if isinstance(each, Verdict)] == ["block", "block", "allow"]
    said = Script(answer(200, {"results": results})).client().batch(ask)
    assert [type(each) for each in said] == [Unavailable, Unavailable, Verdict]


@contextmanager
def stubborn(reply: bytes, every: float) -> Iterator[str]:
    """A server that takes any request and sends `reply` a byte at a time, or nothing at all."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                for byte in reply:
                    if done.wait(every):
                        return
                    connection.sendall(bytes([byte]))
                done.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        done.set()
        thread.join()


DRIP = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"


@pytest.mark.parametrize("reply", [b"", DRIP + b" " * 900], ids=["hangs", "drips"])
async def test_the_time_is_over_when_it_is_over(reply: bytes) -> None:
    with stubborn(reply, 0.001) as url:
        started = time.monotonic()
        with httpx.Client(trust_env=False) as http:
            verdict = Client(url, "k", timeout=0.15, on_failure="block", http=http).moderate(CLEAN, **who("a"))
        assert (verdict.decision, verdict.degraded) == ("block", ("service: timeout",))
        assert 0.1 < time.monotonic() - started < 3
    with stubborn(reply, 0.001) as url:
        started = time.monotonic()
        async with httpx.AsyncClient(trust_env=False) as ours:
            desk = AsyncClient(url, "k", timeout=0.15, on_failure="block", http=ours)
            verdict = await desk.moderate(CLEAN, **who("a"))
        assert (verdict.decision, verdict.degraded) == ("block", ("service: timeout",))
        assert 0.1 < time.monotonic() - started < 3


def test_settings_that_mean_nothing_are_refused() -> None:
    wrong: Any
    for wrong in ({"on_failure": "ask"}, {"timeout": 0}):
        with pytest.raises(ValueError, match="on_failure is allow"):
            Client("http://test", "k", **wrong)
    with pytest.raises(httpx.UnsupportedProtocol):
        Client("test:8000", "k", on_failure="allow").moderate("", **who("a"))


def test_it_says_nothing_to_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(Unavailable) as refused:
        Script(*[broken] * 9).client(timeout=0.02).moderate("a-secret-text", **who("a"))
    assert "a-secret-text" not in caplog.text + str(refused.value)


def test_one_file_and_httpx_are_enough(tmp_path: Path) -> None:
    """Copied alone, with this project out of reach, it asks and takes the fail action."""
    shutil.copy(shenyan_client.__file__, tmp_path)
    program = f"""
import sys
sys.path[:0] = [{str(tmp_path)!r}]
import importlib.abc
class NoService(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "service":
            raise AssertionError("needs " + name)
sys.meta_path.insert(0, NoService())
from shenyan_client import Client
with Client("http://127.0.0.1:{free_port()}", "k", timeout=0.05, on_failure="warn") as desk:
    print(desk.moderate("x", platform="jd", shop_id="s", agent_id="a").decision)
    print(sorted(name for name in sys.modules if name.partition(".")[0] == "service"))
"""
    command = [sys.executable, "-I", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["warn", "[]"], done.stderr
