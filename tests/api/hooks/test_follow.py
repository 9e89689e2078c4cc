"""Notes and retractions behind the answer, against a tool that answers, fails, hangs or is not set up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import stamina
import structlog

from service.api.hooks import follow
from service.api.hooks.connected import Connected
from service.api.hooks.follow import FollowUps
from service.api.hooks.registry import TOOLS
from service.api.hooks.tool import Checked
from service.clock import FixedClock
from service.lexicon.term import Localized
from service.outbound.addresses import permit
from service.outbound.transport import CheckedTransport
from service.record.calls import HookCall
from service.record.connections import Connection
from service.record.outcome import Outcome
from tests.api.hooks.after import AT, call_of, moment, payload_of, secret_of

TOKENS: dict[str, dict[str, str]] = {
    "chatwoot": {"value": "s", "api_token": "t"},
    "zendesk": {"value": "s", "api_email": "me@shop.test", "api_token": "t"},
    "sunshine": {"value": "s", "api_key_id": "k", "api_key_secret": "t"},
    "intercom": {"value": "s", "api_token": "t"},
    "slack": {"value": "s", "api_token": "t"},
}
HAS_BASE = {"zendesk": "https://shop.zendesk.test", "chatwoot": "https://chat.test/"}
NOTE = "〔慎言 Shenyan〕 请勿明示假货\n请说正品"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Tries as often as ever, without the pauses."""
    with stamina.set_testing(True, attempts=follow.TRIES):
        yield


def connected_to(provider: str, secret: Any = None, **settings: Any) -> Connected:
    if provider in HAS_BASE:
        settings.setdefault("api_base", HAS_BASE[provider])
    connection = Connection(
        id=f"c-{provider}",
        tenant_id="default",
        name="",
        provider=provider,
        platform="taobao",
        shop_id="s1",
        language="zh-CN",
        settings={},
        deadline_ms=None,
        fail_action="allow",
        token="sealed",
        secret=None,
        created_at=moment(AT),
    )
    tool = TOOLS[provider]
    shown = TOKENS[provider] if secret is None else secret
    return Connected(connection, tool, tool.settings(**settings), secret_of(provider, shown), None, "token", "")


def checked(provider: str, action: Any = "block", *, replayed: bool = False) -> Checked:
    """The fixture's message, judged."""
    tool = TOOLS[provider]
    (message,) = tool.read(payload_of(provider), call_of(provider, payload_of(provider)), tool.settings()).messages
    words = Localized(zh_cn="", en="")
    outcome = Outcome(
        request_id="r",
        decision=action,
        findings=(),
        dismissed=(),
        masked_text="",
        agent_message=words,
        suggestion=words,
        lexicon_version="",
        policy_version="",
        degraded=(),
        replayed=replayed,
    )
    return Checked(message, action, outcome, agent_message="请勿明示假货", suggestion="请说正品")


class Helpdesk:
    """Notes what it is asked, and answers as `answer` says."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.noted: list[HookCall] = []
        self.answer: Callable[[int], httpx.Response] = lambda number: httpx.Response(200, json={"ok": True})

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(len(self.asked))

    @property
    def calls(self) -> list[tuple[str, str, Any]]:
        return [(each.method, str(each.url), json.loads(each.content) if each.content else None) for each in self.asked]


@pytest.fixture
def helpdesk() -> Helpdesk:
    return Helpdesk()


@pytest.fixture
async def follow_ups(helpdesk: Helpdesk) -> AsyncIterator[FollowUps]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(helpdesk)) as client:
        yield following(client, helpdesk)


def following(client: httpx.AsyncClient, helpdesk: Helpdesk) -> FollowUps:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    return FollowUps(client, lambda provider, call: helpdesk.noted.append(call), clock, structlog.get_logger())


CHATWOOT = "https://chat.test/api/v1/accounts/4/conversations/88/messages"
ZENDESK = "https://shop.zendesk.test/api/v2/tickets/88"
INTERCOM = "https://api.intercom.io/conversations"
EXPECTED: list[tuple[str, list[tuple[str, str, Any]]]] = [
    ("chatwoot", [("DELETE", f"{CHATWOOT}/7301", None),
                  ("POST", CHATWOOT, {"content": NOTE, "message_type": "outgoing", "private": True})]),
    ("zendesk", [("PUT", f"{ZENDESK}/comments/7301/make_private", None),
                 ("PUT", ZENDESK, {"ticket": {"comment": {"body": NOTE, "public": False}}})]),
    ("sunshine", [("DELETE", "https://api.smooch.io/v2/apps/app1/conversations/88/messages/7301", None)]),
    ("intercom", [("POST", f"{INTERCOM}/redact", {"type": "conversation_part", "conversation_id": "88",
                                                 "conversation_part_id": "7301"}),
                  ("POST", f"{INTERCOM}/88/reply", {"message_type": "note", "type": "admin", "admin_id": "31",
                                                   "body": NOTE.replace("\n", "<br>")})]),
    ("slack", [("POST", "https://slack.com/api/chat.delete", {"channel": "C88", "ts": "1767225600.000100"}),
               ("POST", "https://slack.com/api/chat.postEphemeral", {"channel": "C88", "user": "U31", "text": NOTE})]),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "expected"), EXPECTED)
async def test_a_block_is_taken_back_and_noted(
    follow_ups: FollowUps, helpdesk: Helpdesk, provider: str, expected: list[tuple[str, str, Any]]
) -> None:
    follow_ups.add(connected_to(provider, note=True, retract=True), checked(provider))
    await follow_ups.close(5)
    assert helpdesk.calls == expected
    proofs = {**helpdesk.asked[0].headers}
    assert proofs.get("api_access_token") == "t" or proofs["authorization"].startswith(("Bearer t", "Basic "))
    assert [(call.verdict, call.reason) for call in helpdesk.noted] == [("followed_up", None)]


@pytest.mark.parametrize("provider", [provider for provider, _ in EXPECTED])
async def test_off_unless_asked_for(follow_ups: FollowUps, helpdesk: Helpdesk, provider: str) -> None:
    follow_ups.add(connected_to(provider), checked(provider))
    follow_ups.add(connected_to(provider, note=True, retract=True), checked(provider, "allow"))
    follow_ups.add(connected_to(provider, note=True, retract=True), checked(provider, replayed=True))
    await follow_ups.close(5)
    assert (helpdesk.asked, helpdesk.noted) == ([], [])


async def test_a_warning_is_noted_and_stays(follow_ups: FollowUps, helpdesk: Helpdesk) -> None:
    follow_ups.add(connected_to("chatwoot", note=True, retract=True), checked("chatwoot", "warn"))
    await follow_ups.close(5)
    assert [method for method, _, _ in helpdesk.calls] == ["POST"]


def test_our_own_note_is_known_again() -> None:
    payload = {**payload_of("chatwoot"), "private": True, "content": NOTE}
    tool = TOOLS["chatwoot"]
    assert tool.read(payload, call_of("chatwoot", payload), tool.settings()).ignored == "own note"
    public = {**payload, "private": False}
    assert tool.read(public, call_of("chatwoot", public), tool.settings()).messages, "an agent could type our mark"


@pytest.mark.parametrize("passing", [500, 503, 429, 408])
async def test_what_may_pass_is_tried_again(follow_ups: FollowUps, helpdesk: Helpdesk, passing: int) -> None:
    helpdesk.answer = lambda number: httpx.Response(passing if number < 3 else 200, headers={"retry-after": "1"})
    follow_ups.add(connected_to("chatwoot", note=True), checked("chatwoot"))
    await follow_ups.close(5)
    assert len(helpdesk.asked) == 3
    assert [call.verdict for call in helpdesk.noted] == ["followed_up"]


@pytest.mark.parametrize(("status", "tries"), [(500, follow.TRIES), (403, 1), (404, 1)])
async def test_what_does_not_pass_is_noted_as_failed(
    follow_ups: FollowUps, helpdesk: Helpdesk, status: int, tries: int
) -> None:
    helpdesk.answer = lambda number: httpx.Response(status)
    follow_ups.add(connected_to("chatwoot", note=True), checked("chatwoot"))
    await follow_ups.close(5)
    assert len(helpdesk.asked) == tries
    (call,) = helpdesk.noted
    assert (call.verdict, call.status, call.reason) == ("failed", status, f"follow-up: answered {status}")


async def test_a_message_that_is_gone_needs_no_retraction(follow_ups: FollowUps, helpdesk: Helpdesk) -> None:
    helpdesk.answer = lambda number: httpx.Response(404)
    follow_ups.add(connected_to("sunshine", retract=True), checked("sunshine"))
    await follow_ups.close(5)
    helpdesk.answer = lambda number: httpx.Response(200, json={"ok": False, "error": "message_not_found"})
    follow_ups.add(connected_to("slack", retract=True), checked("slack"))
    await follow_ups.close(5)
    assert [call.verdict for call in helpdesk.noted] == ["followed_up"] * 2


@pytest.mark.parametrize(("error", "tries"), [("ratelimited", follow.TRIES), ("cant_delete_message", 1)])
async def test_slack_says_no_with_a_200(follow_ups: FollowUps, helpdesk: Helpdesk, error: str, tries: int) -> None:
    helpdesk.answer = lambda number: httpx.Response(200, json={"ok": False, "error": error})
    follow_ups.add(connected_to("slack", retract=True), checked("slack"))
    await follow_ups.close(5)
    assert (len(helpdesk.asked), helpdesk.noted[0].verdict) == (tries, "failed")


async def test_what_is_missing_is_named(follow_ups: FollowUps, helpdesk: Helpdesk) -> None:
    for provider in TOKENS:
        follow_ups.add(connected_to(provider, "s", note=True, retract=True), checked(provider))
    follow_ups.add(connected_to("zendesk", note=True, api_base=""), checked("zendesk"))
    await follow_ups.close(5)
    assert helpdesk.asked == []
    reasons = {(call.reason or "").removeprefix("follow-up: ") for call in helpdesk.noted}
    assert reasons == {f"`{name}` is not set" for name in ("api_token", "api_email", "api_key_id", "api_base")}


async def test_private_addresses_are_not_reached(helpdesk: Helpdesk) -> None:
    async with httpx.AsyncClient(transport=CheckedTransport(permit())) as client:
        follow_ups = following(client, helpdesk)
        follow_ups.add(connected_to("chatwoot", note=True, api_base="http://127.0.0.1:9"), checked("chatwoot"))
        follow_ups.add(connected_to("chatwoot", note=True, api_base="no address"), checked("chatwoot"))
        await follow_ups.close(5)
    assert {call.verdict for call in helpdesk.noted} == {"failed"}
    assert any("not public" in (call.reason or "") for call in helpdesk.noted)


async def test_a_tool_that_hangs_fills_its_own_places_only(
    follow_ups: FollowUps, helpdesk: Helpdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "MOST_OF_ONE", 5)
    hangs = asyncio.Event()

    async def hang(*_: Any) -> None:
        await hangs.wait()

    hanging = connected_to("chatwoot", note=True)
    hanging = replace(hanging, tool=replace(hanging.tool, follow_up=hang))
    for _ in range(7):
        follow_ups.add(hanging, checked("chatwoot"))
    assert [call.reason for call in helpdesk.noted] == ["follow-up: too many follow-ups wait"] * 2
    follow_ups.add(connected_to("slack", note=True), checked("slack"))
    await follow_ups.close(0.2)
    assert [call.verdict for call in helpdesk.noted].count("followed_up") == 1
    stopped = [call for call in helpdesk.noted if call.reason == "follow-up: the service was stopped"]
    assert len(stopped) == 5, "what was given up at the end is noted"
