"""One POST to somebody else's server: never to a forbidden address, never along a redirect, within one time and one size."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from time import perf_counter

import httpx

from service import __version__
from service.notify.exchange import Answer, Outgoing
from service.outbound.addresses import Address, Network, Permits, permit
from service.outbound.transport import LAST_PORT, PORTS, CheckedTransport, ForbiddenAddress, Resolve, look_up

SECONDS = 15.0
"""For all of an attempt."""
MAX_BYTES = 16 * 1024
"""Of an answer, that are read."""
LOOK_UP_SECONDS = 5.0
HEADERS = {"User-Agent": f"shenyan/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}


class Sender:
    """Sends to public addresses by https, and to `networks` by http, too."""

    def __init__(self, networks: tuple[Network, ...] = (), seconds: float = SECONDS, resolve: Resolve | None = None):
        self._permits: dict[str, Permits] = {"https": permit(networks), "http": only(networks)}
        self._seconds = seconds
        self._resolve = resolve or look_up
        self._clients = {
            scheme: httpx.AsyncClient(
                transport=CheckedTransport(permits, resolve),
                headers=HEADERS,
                timeout=seconds,
                trust_env=False,
                follow_redirects=False,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            )
            for scheme, permits in self._permits.items()
        }

    async def send(self, outgoing: Outgoing) -> Answer:
        """Never raises for what the other side does, nor for an address that is none."""
        began = perf_counter()

        def failed(error: str) -> Answer:
            return Answer(latency_ms=_since(began), error=error)

        try:
            scheme = httpx.URL(outgoing.url).scheme
            if scheme not in self._clients:
                return failed("refused: neither http nor https")
            async with asyncio.timeout(self._seconds):
                return await self._post(self._clients[scheme], outgoing, began)
        except (TimeoutError, httpx.TimeoutException):
            return failed(f"no answer within {self._seconds:g} s")
        except ForbiddenAddress:
            return failed("refused: the name leads to a private address, or http leads to a public one")
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            return failed("refused: no address")
        except httpx.ConnectError:
            return failed("no connection")
        except httpx.HTTPError as error:
            return failed(f"connection broken ({type(error).__name__})")

    async def why_not(self, url: str) -> str | None:
        """Why nothing may be sent to `url`; None when it may. A name that nobody knows yet is looked up again to send."""
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, UnicodeError):
            return "is no address; write https://host/path"
        if parsed.scheme not in PORTS or not parsed.host:
            return "should be https://host/path"
        if parsed.userinfo or parsed.fragment:
            return "should hold neither a user's name nor a fragment"
        if parsed.port is not None and not 0 < parsed.port <= LAST_PORT:
            return f"has no port from 1 to {LAST_PORT}"
        addresses = await self._look_up(parsed.raw_host.decode("ascii"), parsed.port or PORTS[parsed.scheme])
        if parsed.scheme == "http" and (not addresses or not all(map(self._permits["http"], addresses))):
            return "should be https; http is for the networks of SHENYAN_WEBHOOK_NETWORKS"
        if not all(map(self._permits["https"], addresses)):
            return "leads to a private, loopback or link-local address; SHENYAN_WEBHOOK_NETWORKS can allow it"
        return None

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def _look_up(self, host: str, port: int) -> list[Address]:
        try:
            return [ip_address(host.strip("[]"))]
        except ValueError:
            pass
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                return list(await self._resolve(host, port))
        except TimeoutError:
            return []

    async def _post(self, client: httpx.AsyncClient, outgoing: Outgoing, began: float) -> Answer:
        request = client.build_request("POST", outgoing.url, content=outgoing.body, headers=outgoing.headers)
        response = await client.send(request, stream=True)
        try:
            body = await _beginning(response)
        finally:
            await response.aclose()
        after = _seconds(response.headers.get("retry-after"))
        return Answer(_since(began), response.status_code, retry_after=after, body=body)


def only(networks: tuple[Network, ...]) -> Callable[[Address], bool]:
    """A rule that permits nothing but `networks`."""

    def permits(address: Address) -> bool:
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in networks)

    return permits


async def _beginning(response: httpx.Response) -> bytes:
    """At most MAX_BYTES of the body. What breaks off while it is read leaves the status as it was."""
    read = bytearray()
    try:
        async for part in response.aiter_raw():
            read += part
            if len(read) >= MAX_BYTES:
                break
    except httpx.HTTPError:
        pass
    return bytes(read[:MAX_BYTES])


def _seconds(header: str | None) -> float | None:
    """Retry-After, in seconds or as a date."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _since(began: float) -> float:
    return round((perf_counter() - began) * 1000, 3)
