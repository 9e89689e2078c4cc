"""The one way out over HTTP: a name is looked up once, its addresses are checked, and the connection goes to one of those.

Looking a name up again to connect would let its owner answer differently the second time. TLS still proves the name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

import httpx

from service.outbound.addresses import Address, Permits

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
MAX_ADDRESSES = 3
"""Of one name, that are tried in turn."""
PORTS = {"http": 80, "https": 443}
LAST_PORT = 65_535


class ForbiddenAddress(httpx.ConnectError):
    """The name leads to an address that must not be asked."""


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends each request, redirected ones too, to an address that was checked. Connections are not used twice."""

    def __init__(self, permits: Permits, resolve: Resolve | None = None) -> None:
        self._permits = permits
        self._resolve = resolve or look_up
        # A kept connection is found again by its address; behind one address may be several names.
        self._inner = httpx.AsyncHTTPTransport(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises ForbiddenAddress when a single address of the name is not permitted, ConnectError when none answers."""
        url, host = request.url, request.url.raw_host.decode("ascii")
        if url.scheme not in PORTS:
            raise httpx.UnsupportedProtocol(f"{url.scheme} is not http", request=request)
        port = url.port or PORTS[url.scheme]
        if port > LAST_PORT:
            raise httpx.InvalidURL(f"{port} is no port")
        addresses = await self._resolve(host, port)
        if not all(map(self._permits, addresses)):
            raise ForbiddenAddress(f"{host} has an address that is not permitted", request=request)
        for address in addresses[:MAX_ADDRESSES]:
            try:
                return await self._inner.handle_async_request(pinned(request, host, address))
            except httpx.ConnectError:
                continue
        raise httpx.ConnectError(f"{host} does not answer", request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def pinned(request: httpx.Request, host: str, address: Address) -> httpx.Request:
    """`request` to one address; the Host header and the name that TLS proves stay those of `host`."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )


async def look_up(host: str, port: int) -> list[Address]:
    """All addresses of a name, or the one that it spells in any form (127.1, 0x7f000001). Empty for none."""
    try:
        rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(ip_address(row[4][0]) for row in rows))
