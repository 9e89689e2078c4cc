from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network

import httpx
import pytest

from service.outbound.addresses import Address
from service.outbound.fetch import Fetcher, NotFetched
from service.outbound.transport import Resolve, pinned
from tests.serving import free_port
from tests.web import Web, moved, ok, reply, serve_web

LOOPBACK = (ip_network("127.0.0.1/32"),)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with serve_web() as web:
        yield web


@asynccontextmanager
async def fetching(
    seconds: float = 5, max_bytes: int = 1000, inside: bool = True, resolve: Resolve | None = None
) -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(seconds, max_bytes, LOOPBACK if inside else (), resolve)
    try:
        yield fetcher
    finally:
        await fetcher.close()


def names(**addresses: Sequence[str]) -> tuple[Resolve, list[str]]:
    """A name server of these names, and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[Address]:
        asked.append(host)
        return [ip_address(each) for each in addresses.get(host.partition(".")[0], ())]

    return resolve, asked


async def fetch(
    url: str, seconds: float = 5, inside: bool = True, resolve: Resolve | None = None
) -> bytes | NotFetched:
    async with fetching(seconds, inside=inside, resolve=resolve) as fetcher:
        return await fetcher.fetch(url)


async def test_fetches_from_the_address_that_was_checked(web: Web) -> None:
    web.answers["/a"] = ok(b"picture")
    resolve, asked = names(shop=["127.0.0.1"])
    assert await fetch(web.url("/a", "shop.example"), resolve=resolve) == b"picture"
    assert asked == ["shop.example"]
    assert f"Host: shop.example:{web.port}\r\n" in web.asked[0]


async def test_a_name_is_looked_up_once_however_it_answers_later(web: Web) -> None:
    web.answers["/a"] = ok(b"picture")
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    async def resolve(host: str, port: int) -> Sequence[Address]:
        return [ip_address(each) for each in next(answers)]

    async with fetching(resolve=resolve) as fetcher:
        assert await fetcher.fetch(web.url("/a", "rebinding.example")) == b"picture"
        assert await fetcher.fetch(web.url("/a", "rebinding.example")) == NotFetched("refused, private address")
    assert len(web.asked) == 1


async def test_tls_proves_the_name_and_not_the_address() -> None:
    request = httpx.Request("GET", "https://shop.example/a?b=1")
    there = pinned(request, "shop.example", ip_address("8.8.8.8"))
    assert (str(there.url), there.headers["host"]) == ("https://8.8.8.8/a?b=1", "shop.example")
    assert there.extensions["sni_hostname"] == "shop.example"
    assert str(pinned(request, "shop.example", ip_address("2400:3200::1")).url) == "https://[2400:3200::1]/a?b=1"


@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0",
    "127.0.0.1.", "user:secret@127.0.0.1",
])  # fmt: skip
async def test_refuses_its_own_network_in_every_spelling(web: Web, host: str) -> None:
    answer = await fetch(web.url("/", host), inside=False)
    # Not every system knows every spelling, which is as good.
    reasons = ("refused, private address", "refused, no address", "not reachable")
    assert answer in [NotFetched(reason) for reason in reasons]
    assert web.asked == []


async def test_refuses_a_name_with_one_private_address_among_others(web: Web) -> None:
    resolve, _ = names(mixed=["127.0.0.1", "10.0.0.1"])
    assert await fetch(web.url("/", "mixed.example"), resolve=resolve) == NotFetched("refused, private address")
    assert web.asked == []


async def test_checks_every_redirect(web: Web) -> None:
    resolve, asked = names(public=["127.0.0.1"], inner=["10.0.0.1"])
    web.answers = {
        "/a": moved(f"http://inner.example:{web.port}/secret"),
        "/b": moved("http://169.254.169.254/latest"),
        "/c": moved("file:///etc/passwd"),
        "/d": moved("//inner.example/secret"),
    }
    url = web.url("", "public.example")
    assert await fetch(f"{url}/a", resolve=resolve) == NotFetched("refused, private address")
    assert await fetch(web.url("/b")) == NotFetched("refused, private address")
    assert await fetch(f"{url}/c", resolve=resolve) == NotFetched("refused, neither http nor https")
    assert await fetch(f"{url}/d", resolve=resolve) == NotFetched("refused, private address")
    assert asked == ["public.example", "inner.example", "public.example", "public.example", "inner.example"]


async def test_follows_three_redirects_and_no_more(web: Web) -> None:
    web.answers.update({f"/{step}": moved(f"/{step - 1}") for step in range(1, 5)}, **{"/0": ok(b"picture")})
    assert await fetch(web.url("/3")) == b"picture"
    assert await fetch(web.url("/4")) == NotFetched("redirected too often")


async def test_does_not_read_what_comes_with_a_redirect(web: Web) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /0\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"400\r\n" + bytes(1024) + b"\r\n")
            await writer.drain()

    web.answers = {"/1": endless, "/0": ok(b"picture")}
    assert await fetch(web.url("/1")) == b"picture"


async def test_stops_at_the_largest_size(web: Web) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"100\r\n" + bytes(256) + b"\r\n")
            await writer.drain()

    web.answers = {"/most": ok(bytes(1000)), "/more": ok(bytes(1001)), "/endless": endless}
    assert await fetch(web.url("/most")) == bytes(1000)
    assert await fetch(web.url("/more")) == NotFetched("larger than 1000 bytes")
    assert await fetch(web.url("/endless")) == NotFetched("larger than 1000 bytes")


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
async def test_waits_no_longer_than_it_may(web: Web, start: bytes) -> None:
    async def silent(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await asyncio.Event().wait()

    web.answers["/"] = silent
    assert await fetch(web.url(), seconds=0.2) == NotFetched("timed out")


async def test_the_time_is_for_the_whole_however_often_a_byte_comes(web: Web) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        for _ in range(900):
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.01)

    web.answers["/"] = drip
    assert await fetch(web.url(), seconds=0.2) == NotFetched("timed out")


@pytest.mark.parametrize(("answer", "reason"), [
    (reply("404 Not Found"), "answered 404"),
    (reply("500 Internal Server Error"), "answered 500"),
    (reply("304 Not Modified"), "answered 304"),
    (ok(b"x", "Content-Encoding: gzip"), "answered compressed"),
    (b"what?\r\n\r\n", "not reachable"),
    (b"", "not reachable"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "not reachable"),
    (moved("http://[broken"), "not reachable"),
])  # fmt: skip
async def test_says_why_there_is_no_picture(web: Web, answer: bytes, reason: str) -> None:
    web.answers["/"] = answer
    assert await fetch(web.url()) == NotFetched(reason)


@pytest.mark.parametrize(("url", "reason"), [
    ("http://", "refused, neither http nor https"),
    ("http://[", "not reachable"),
    ("http://exa mple/", "not reachable"),
    ("http://127.0.0.1:99999999/", "refused, no address"),
    (f"http://{'a' * 80}.example/", "not reachable"),
    ("http://\x00/", "refused, no address"),
])  # fmt: skip
async def test_an_address_that_is_none(url: str, reason: str) -> None:
    assert await fetch(url) == NotFetched(reason)


async def test_nobody_there() -> None:
    assert await fetch(f"http://127.0.0.1:{free_port()}/") == NotFetched("not reachable")


async def test_keeps_no_cookies_and_sends_no_password_from_the_environment(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    web.answers["/"] = ok(b"x", "Set-Cookie: who=shenyan; Path=/")
    async with fetching() as fetcher:
        assert [await fetcher.fetch(web.url()) for _ in range(2)] == [b"x", b"x"]
    assert not any("cookie" in head.lower() or "authorization" in head.lower() for head in web.asked)
