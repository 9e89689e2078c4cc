"""The door that every request goes through: an id for it, a bound on how many are inside, and the last net for crashes.

Plain ASGI, because it stands before the routes that carry the load. It never looks into a body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

from service.api.decode import within_limit
from service.api.log import place_of_crash, route_of
from service.api.problem import problem_response
from service.errors import ShenyanError, Unavailable

SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")

HOOKS = "/v1/hooks/"
"""Where chat tools call us; what follows may hold a token, so it is never logged."""


class Gate:
    """Bounds what is in flight, limits bodies, names requests, and turns a crash into a plain 500."""

    def __init__(
        self,
        app: ASGIApp,
        max_in_flight: int,
        max_body_bytes: int,
        hot: Mapping[str, ASGIApp],
        hooks: ASGIApp | None = None,
    ) -> None:
        """`hot`: path -> the endpoint that POSTs to it reach without the framework's layers in between; `hooks`: the same
        for all below `HOOKS`.
        """
        self.app = app
        self.hot = hot
        self.hooks = hooks
        self.max_in_flight = max_in_flight
        self.max_body_bytes = max_body_bytes
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        request_id = request_id_of(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        tracer = state.get("tracer")
        if tracer is not None:
            state["trace"] = tracer.begin(scope)
        header = (b"x-request-id", request_id.encode())
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        bounded = scope["path"].startswith("/v1/")
        if bounded and self.in_flight >= self.max_in_flight:
            if (metrics := state.get("metrics")) is not None:
                metrics.saturated.add()
            error = Unavailable("Too many requests at once; try again in a second.", code="saturated", retry_after=1)
            await problem_response(error, request_id)(scope, receive, send_named)
            note(scope, status, perf_counter() - began)
            return
        self.in_flight += bounded
        try:
            endpoint, name = self.hot.get(scope["path"]) if scope["method"] == "POST" else None, scope["path"]
            if scope["path"].startswith(HOOKS) and scope["method"] in ("GET", "POST"):
                endpoint, name = self.hooks, f"{HOOKS}{{connection_id}}"
            if endpoint is not None:
                # The routes that carry the load skip the framework's layers and bound what they read themselves.
                scope["hot_path"] = name
                await endpoint(scope, receive, send_named)
            else:
                await self.app(scope, self.limited(receive), send_named)
        except ShenyanError as error:
            await problem_response(error, request_id)(scope, receive, send_named)
        except Exception as error:
            scope["state"]["log"].error("crash", request_id=request_id, path=route_of(scope), **place_of_crash(error))
            if status:
                raise
            await problem_response(ShenyanError("crash"), request_id)(scope, receive, send_named)
        finally:
            self.in_flight -= bounded
            note(scope, status, perf_counter() - began)

    def limited(self, receive: Receive) -> Receive:
        """`receive` that refuses a body over the limit as soon as it is seen to be, and never holds more than that."""
        limit, size = self.max_body_bytes, 0

        async def receive_limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            within_limit(b"", size, limit)
            return message

        return receive_limited


def note(scope: Scope, status: int, seconds: float) -> None:
    """Counts a request that was answered, and tells of it where that is called for. `status` 0: nobody waited for it."""
    state = scope["state"]
    metrics = state.get("metrics")
    if metrics is None or not status:
        return
    metrics.responses.add(str(status))
    notices = state["notices"]
    if status >= 400 or seconds > notices.slow_seconds:
        notices.look(scope, status, seconds)
    if (trace := state.get("trace")) is not None:
        state["tracer"].end(trace, route_of(scope), scope["method"], status, state["request_id"])


def request_id_of(scope: Scope) -> str:
    """The client's own `X-Request-Id` when it is a sane token, else a new UUIDv7."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE_ID.fullmatch(value):
            return str(value, "ascii")
    return str(uuid7())
