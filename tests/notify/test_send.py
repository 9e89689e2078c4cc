from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address, ip_network

import pytest

from service.notify.exchange import Answer, Outgoing
from service.notify.send import MAX_BYTES, Sender
from service.outbound.addresses import Address
from tests.notify.receiver import HANG, Receiver
from tests.web import moved, ok, reply

LOOPBACK = (ip_network("127.0.0.0/8"),)
NAMES = {
    "inside.example": ["10.0.0.7"],
    "half.example": ["93.184.216.34", "169.254.169.254"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "outside.example": ["93.184.216.34"],
    "nobody.example": [],
}


async def names(host: str, port: int) -> Sequence[Address]:
    return [ip_address(each) for each in NAMES.get(host, ["127.0.0.1"])]


@asynccontextmanager
async def sending(inside: bool = True, seconds: float = 5.0) -> AsyncIterator[Sender]:
    sender = Sender(LOOPBACK if inside else (), seconds, names)
    try:
        yield sender
    finally:
        await sender.close()


async def send(url: str, inside: bool = True, seconds: float = 5.0) -> Answer:
    async with sending(inside, seconds) as sender:
        return await sender.send(Outgoing(url, b"{}", {"Content-Type": "application/json"}))


async def test_an_answer_comes_back_with_its_beginning(receiver: Receiver) -> None:
    receiver.answer = lambda _: ok(b"x" * MAX_BYTES * 3)
    answer = await send(receiver.url())
    assert (answer.status, answer.body, answer.error) == (200, b"x" * MAX_BYTES, None)
    assert answer.latency_ms > 0
    assert receiver.told[0].headers["user-agent"].startswith("shenyan/")
    assert receiver.told[0].headers["accept-encoding"] == "identity"


async def test_nothing_is_followed_and_nothing_waited_for(receiver: Receiver) -> None:
    receiver.answer = lambda _: moved(receiver.url("/elsewhere"))
    assert (await send(receiver.url())).status == 302
    receiver.answer = lambda _: HANG
    assert (await send(receiver.url(), seconds=0.1)).error == "no answer within 0.1 s"
    assert [told.path for told in receiver.told] == ["/hook", "/hook"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://127.1:{port}/",
        "http://0x7f000001:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "https://inside.example:{port}/",
        "https://half.example/",
        "https://mapped.example/",
        "https://169.254.169.254/latest/meta-data",
        "http://outside.example/",
        "ftp://outside.example/",
        "https://user:password@outside.example/",
        "https://outside.example/#fragment",
        "https://outside.example:70000/",
        "nonsense",
        "https://",
        "https://\udc80.example/",
    ],
)
async def test_forbidden_addresses_are_refused_when_made_and_when_sent_to(receiver: Receiver, url: str) -> None:
    url = url.replace("{port}", str(receiver.port))
    async with sending(inside=False) as sender:
        assert await sender.why_not(url) is not None
    if "outside" not in url:
        answer = await send(url, inside=False)
        assert (answer.status, answer.error) == (None, answer.error)
        assert answer.error is not None
    assert receiver.told == []


async def test_http_to_a_public_address_is_refused_when_sent_to(receiver: Receiver) -> None:
    assert "http leads to a public one" in ((await send("http://outside.example/")).error or "")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "https://127.0.0.1/", "https://outside.example/x?y=z"])
async def test_what_is_allowed_is_allowed(url: str) -> None:
    async with sending() as sender:
        assert await sender.why_not(url) is None


async def test_a_name_that_nobody_knows_yet_may_be_told_later() -> None:
    async with sending() as sender:
        assert await sender.why_not("https://nobody.example/") is None
        assert await sender.why_not("http://nobody.example/") is not None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("in an hour", 3600),
        ("an hour ago", 0),
        ("soon", None),
    ],
)
async def test_a_wish_for_a_pause_is_read(receiver: Receiver, header: str, seconds: float | None) -> None:
    hour = timedelta(hours=1)
    moments = {"in an hour": datetime.now(UTC) + hour, "an hour ago": datetime.now(UTC) - hour}
    if header in moments:
        header = format_datetime(moments[header], usegmt=True)
    receiver.answer = lambda _: reply("429 Too Many Requests", b"", f"Retry-After: {header}")
    found = (await send(receiver.url())).retry_after
    assert found == (None if seconds is None else pytest.approx(seconds, abs=30))
