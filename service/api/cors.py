"""Lets the pages of named origins ask from a browser. Stands before the gate, and only where origins are set.

In: any request. Out: the same answer, with what a browser wants to read before it hands the answer to the page. It opens
nothing but `/v1/` with a key in the header: no cookie counts here, so none is allowed.
"""

from __future__ import annotations

from collections.abc import Set

from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = b"GET, POST"
"""What a chat page needs: ask, say that it was sent anyway, read what it caused. No page of another origin administers."""
HEADERS = b"Authorization, Content-Type, Accept-Language, Idempotency-Key, X-Request-Id"
REMEMBERED = b"600"
"""Seconds for which a browser need not ask again."""
READABLE = b"Retry-After, X-Request-Id"


class Cors:
    """Answers the questions that browsers ask first, and marks the answers to `/v1/` that the page may read."""

    def __init__(self, app: ASGIApp, origins: Set[str]) -> None:
        """`origins`: as browsers send them, `https://chat.example.com`."""
        self.app = app
        self.origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        origin = headers.get(b"origin", b"")
        # A cache must not give one origin what was said to another.
        more = [(b"vary", b"Origin")]
        if origin in self.origins:
            more.append((b"access-control-allow-origin", origin))
            if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
                await send({"type": "http.response.start", "status": 204, "headers": [*more, *PREFLIGHT]})
                await send({"type": "http.response.body", "body": b""})
                return
            more.append((b"access-control-expose-headers", READABLE))

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *more]
            await send(message)

        await self.app(scope, receive, send_marked)


PREFLIGHT = [
    (b"access-control-allow-methods", METHODS),
    (b"access-control-allow-headers", HEADERS),
    (b"access-control-max-age", REMEMBERED),
]
