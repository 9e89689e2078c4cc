"""WeCom: the echo, the announcement, and the messages fetched behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
import stamina
import structlog

from service.api.hooks import follow
from service.api.hooks.connected import Connected
from service.api.hooks.news import News
from service.api.hooks.registry import TOOLS
from service.api.hooks.tool import Call, Checked, Forged, Incoming
from service.clock import FixedClock
from service.errors import BadRequest
from service.record.calls import HookCall
from service.record.database import Database
from service.record.hook_cursors import read_position
from tests.api.hooks.after import AT, TEXT, WECOM, call_of, enclosed, moment, payload_of, secret_of, sorted_sha1
from tests.api.hooks.test_follow import checked, connected_to

TOOL = TOOLS["wecom"]
NEWS = (
    b"<xml><ToUserName><![CDATA[corp-own]]></ToUserName><MsgType><![CDATA[event]]></MsgType>"
    b"<Event><![CDATA[kf_msg_or_event]]></Event><Token><![CDATA[pull-token]]></Token>"
    b"<OpenKfId><![CDATA[kf1]]></OpenKfId></xml>"
)
WHAT = {"token": "pull-token", "account": "kf1"}
SECRET = {**WECOM, "app_secret": "own-app-secret"}


def verify(call: Call) -> Any:
    return TOOL.verify(call, secret_of("wecom"), TOOL.settings())


def test_the_echo_is_given_back_bare() -> None:
    encrypted = enclosed(b"160912", WECOM["corp_id"])
    query = {"timestamp": str(AT), "nonce": "n1", "echostr": encrypted}
    query["msg_signature"] = sorted_sha1(WECOM["token"], str(AT), "n1", encrypted)
    call = Call("GET", "", query, {}, b"", moment(AT))
    reply = TOOL.read(verify(call), call, TOOL.settings()).reply
    assert reply is not None
    assert (reply.content, reply.media_type, reply.status) == (b"160912", "text/plain", 200)
    with pytest.raises(Forged):
        verify(replace(call, query={**query, "nonce": "n2"}))


def test_an_announcement_is_answered_empty_and_says_what_to_fetch() -> None:
    call = call_of("wecom", NEWS)
    reading = TOOL.read(verify(call), call, TOOL.settings())
    assert (reading.messages, reading.pull) == ((), WHAT)
    assert TOOL.answer((), call, TOOL.settings()).content == b""
    other = call_of("wecom", NEWS.replace(b"kf_msg_or_event", b"change_contact"))
    assert TOOL.read(verify(other), other, TOOL.settings()).ignored == "unknown event"


@pytest.mark.parametrize(
    "call",
    [
        call_of("wecom", NEWS, now=AT + 301),
        replace(call_of("wecom", NEWS), query={}),
        replace(call_of("wecom", NEWS), body=b"<xml><Encrypt>AAAA</Encrypt></xml>"),
    ],
)
def test_what_is_late_unsigned_or_changed_is_refused(call: Call) -> None:
    with pytest.raises(Forged):
        verify(call)


@pytest.mark.parametrize(
    "body",
    [
        b"no xml",
        b"",
        b'<!DOCTYPE a [<!ENTITY b "c">]><xml><Encrypt>&b;</Encrypt></xml>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><xml></xml>',
        "<xml>x".encode("utf-16"),
    ],
)
def test_no_entities_and_nothing_but_xml(body: bytes) -> None:
    with pytest.raises(BadRequest):
        verify(replace(call_of("wecom", NEWS), body=body))


class Wecom:
    """Hands out the pages it is given, and tokens that it may forget."""

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = [payload_of("wecom")]
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.tokens = 0
        self.errors: list[int] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.url.path, dict(request.url.params), body))
        if request.url.path == "/cgi-bin/gettoken":
            self.tokens += 1
            return httpx.Response(200, json={"errcode": 0, "access_token": f"lent-{self.tokens}", "expires_in": 7200})
        if self.errors:
            return httpx.Response(200, json={"errcode": self.errors.pop(0)})
        return httpx.Response(200, json=self.pages.pop(0) if len(self.pages) > 1 else self.pages[0])


class Fetching:
    """News of one connection, and what became of its messages."""

    def __init__(self, news: News, wecom: Wecom, noted: list[HookCall]) -> None:
        self.news, self.wecom, self.noted = news, wecom, noted
        self.seen: list[Incoming] = []
        self.stored = True
        self.connected = connected_to("wecom", SECRET)

    async def check(self, messages: Sequence[Incoming]) -> list[Checked]:
        self.seen += messages
        outcome = checked("slack").outcome
        return [Checked(each, "block", outcome_of(outcome, self.stored)) for each in messages]

    async def fetch(self, connected: Connected | None = None, what: Any = None) -> None:
        self.news.fetch(connected or self.connected, what or WHAT, self.check)
        await self.news.close(10)


def outcome_of(outcome: Any, stored: bool) -> Any:
    return msgspec.structs.replace(outcome, recorded="database" if stored else "none")


@pytest.fixture
async def fetching(database: Database) -> AsyncIterator[Fetching]:
    wecom, noted = Wecom(), list[HookCall]()
    async with httpx.AsyncClient(transport=httpx.MockTransport(wecom)) as client:
        clock, log = FixedClock(moment(AT)), structlog.get_logger()
        news = News(database, client, lambda provider, call: noted.append(call), clock, log)
        yield Fetching(news, wecom, noted)


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=follow.TRIES):
        yield


async def test_agents_messages_are_fetched_and_the_place_is_kept(fetching: Fetching, database: Database) -> None:
    await fetching.fetch()
    (message,) = fetching.seen
    assert (message.text, message.agent_id, message.conversation_id) == (TEXT, "31", "kf1|905")
    assert (message.delivery_id, message.sent_at) == ("m7301", moment(AT))
    token, sync = fetching.wecom.asked
    assert token == ("/cgi-bin/gettoken", {"corpid": "corp-own", "corpsecret": "own-app-secret"}, None)
    wanted = {"cursor": "", "token": "pull-token", "limit": 1000, "voice_format": 0, "open_kfid": "kf1"}
    assert sync == ("/cgi-bin/kf/sync_msg", {"access_token": "lent-1"}, wanted)
    assert await read_position(database, "c-wecom", "kf1") == "place-2"
    await fetching.fetch()
    assert fetching.wecom.asked[-1][2]["cursor"] == "place-2", "it goes on from there"
    assert fetching.wecom.tokens == 1, "a token is kept"
    assert fetching.noted == []


async def test_pages_are_fetched_to_the_last(fetching: Fetching) -> None:
    first = payload_of("wecom")
    fetching.wecom.pages = [{**first, "has_more": 1, "next_cursor": f"place-{number}"} for number in range(3)]
    fetching.wecom.pages.append({**first, "next_cursor": "end"})
    await fetching.fetch()
    assert [body["cursor"] for path, _, body in fetching.wecom.asked if body] == ["", "place-0", "place-1", "place-2"]
    assert len(fetching.seen) == 4


async def test_a_token_that_has_run_out_is_renewed(fetching: Fetching) -> None:
    fetching.wecom.errors = [42001]
    await fetching.fetch()
    assert fetching.wecom.tokens == 2
    assert len(fetching.seen) == 1
    await fetching.fetch(replace(fetching.connected, connection=renewed(fetching.connected)))
    assert fetching.wecom.tokens == 3, "another revision may have another secret"


def renewed(connected: Connected) -> Any:
    return msgspec.structs.replace(connected.connection, revision=connected.connection.revision + 1)


async def test_what_is_not_recorded_is_fetched_again(fetching: Fetching, database: Database) -> None:
    fetching.stored = False
    await fetching.fetch()
    assert len(fetching.seen) == follow.TRIES
    assert await read_position(database, "c-wecom", "kf1") == ""
    assert fetching.noted[0].reason == "fetching messages: Unavailable"
    fetching.stored = True
    await fetching.fetch()
    assert await read_position(database, "c-wecom", "kf1") == "place-2"


@pytest.mark.parametrize(
    ("secret", "errors", "reason"),
    [
        (WECOM, [], "`app_secret` is not set"),
        (SECRET, [60020], "WeCom gives no messages: errcode 60020"),
    ],
)
async def test_what_will_not_pass_is_named(
    fetching: Fetching, secret: dict[str, str], errors: list[int], reason: str
) -> None:
    fetching.wecom.errors = errors
    await fetching.fetch(connected_to("wecom", secret))
    (call,) = fetching.noted
    assert (call.verdict, call.reason) == ("failed", f"fetching messages: {reason}")


async def test_what_was_said_before_it_was_connected_is_left_alone(fetching: Fetching) -> None:
    page = payload_of("wecom")
    page["msg_list"][0]["send_time"] = AT - 1
    fetching.wecom.pages = [page]
    await fetching.fetch()
    assert fetching.seen == []


async def test_media_are_named_and_menus_are_read(fetching: Fetching) -> None:
    page = payload_of("wecom")
    message = page["msg_list"][0]
    menu = {"head_content": "选", "list": [{"type": "click", "click": {"content": "高仿"}}], "tail_content": "谢"}
    page["msg_list"] = [
        {**message, "msgtype": "image", "image": {"media_id": "x"}},
        {**message, "msgtype": "msgmenu", "msgmenu": menu},
        {**message, "msgtype": "link", "link": {"title": "包", "desc": "高仿", "url": "https://x.test"}},
        {**message, "origin": 4, "msgtype": "event"},
    ]
    fetching.wecom.pages = [page]
    await fetching.fetch()
    assert [(each.text, each.uninspected) for each in fetching.seen] == [
        ("", ("image: not inspected",)),
        ("选\n高仿\n谢", ()),
        ("包\n高仿", ()),
    ]
