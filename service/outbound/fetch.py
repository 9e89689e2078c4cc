"""An address in, the bytes of a file out, or why there are none: within one time, one size, few redirects, no cookies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from service import __version__
from service.outbound.addresses import Network, permit
from service.outbound.transport import CheckedTransport, ForbiddenAddress, Resolve

MAX_REDIRECTS = 3
AT_ONCE = 16
"""Files that are fetched at the same time; further ones wait, which counts in their time."""
HEADERS = {"User-Agent": f"shenyan/{__version__}", "Accept": "image/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class NotFetched:
    """Why there are no bytes, as it stands in `degraded`."""

    reason: str


class Fetcher:
    """Fetches files from public addresses, and from `networks` that are not public."""

    def __init__(
        self, timeout: float, max_bytes: int, networks: tuple[Network, ...] = (), resolve: Resolve | None = None
    ) -> None:
        """`timeout`: seconds for the whole of a file, redirects included."""
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._client = httpx.AsyncClient(
            transport=CheckedTransport(permit(networks), resolve),
            headers=HEADERS,
            timeout=timeout,
            trust_env=False,
            # What one host wants remembered is nothing that another may see.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def fetch(self, url: str) -> bytes | NotFetched:
        """Never raises for what the other side does, nor for an address that is none."""
        try:
            async with asyncio.timeout(self._timeout), self._turns:
                return await self._follow(self._client.build_request("GET", url))
        except (TimeoutError, httpx.TimeoutException):
            return NotFetched("timed out")
        except ForbiddenAddress:
            return NotFetched("refused, private address")
        except httpx.UnsupportedProtocol:
            return NotFetched("refused, neither http nor https")
        except (httpx.InvalidURL, UnicodeError):
            return NotFetched("refused, no address")
        except httpx.HTTPError:
            return NotFetched("not reachable")

    async def _follow(self, request: httpx.Request) -> bytes | NotFetched:
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._client.send(request, stream=True)
            try:
                if response.next_request is None:
                    return await self._read(response)
                # Its body, of any length, is not read.
                request = response.next_request
            finally:
                await response.aclose()
        return NotFetched("redirected too often")

    async def _read(self, response: httpx.Response) -> bytes | NotFetched:
        if response.status_code != 200:
            return NotFetched(f"answered {response.status_code}")
        if response.headers.get("content-encoding", "identity") != "identity":
            return NotFetched("answered compressed")
        size, parts = 0, []
        async for part in response.aiter_raw():
            size += len(part)
            if size > self._max_bytes:
                return NotFetched(f"larger than {self._max_bytes} bytes")
            parts.append(part)
        return b"".join(parts)

    async def close(self) -> None:
        await self._client.aclose()
