"""The routes that carry the load: plain ASGI endpoints without dependency injection, msgspec in and out.

Each is a function from a `Call` to an answer. What stands around it is the same for all: the key, the media type, the
body within its limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar, cast

import msgspec
from starlette.types import Receive, Scope, Send

from service.api.decode import decode, read_body, refuse_encoding, require_json
from service.api.form import is_form, read_form
from service.api.state import State
from service.errors import Malformed, Problem
from service.record.keys import ApiKey, Role

T = TypeVar("T")
MODERATORS: frozenset[Role] = frozenset({"client", "admin"})
ENCODER = msgspec.json.Encoder()
NO_FILES: Sequence[bytes] = ()


@dataclass(slots=True)
class Call:
    """One request that was let in."""

    state: State
    key: ApiKey
    request_id: str
    headers: dict[bytes, bytes]
    body: bytes
    started: float
    """`perf_counter` when the request came in."""
    files: Sequence[bytes] = ()
    """Pictures that came with the body, as a form."""

    def elapsed_ms(self) -> float:
        return round((perf_counter() - self.started) * 1000, 3)

    def decode(self, decoder: msgspec.json.Decoder[T]) -> T:
        return decode(decoder, self.body)


Handle = Callable[[Call], Awaitable[Any]]
"""Returns what msgspec can write."""


class Hot:
    """An ASGI endpoint around one function. Errors of ours rise to the handlers of `problem.py`."""

    def __init__(self, handle: Handle, takes_forms: bool = False) -> None:
        """`takes_forms`: the body may be multipart/form-data, too."""
        self.handle = handle
        self.takes_forms = takes_forms
        self.__name__ = handle.__name__

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        state = cast(State, scope["state"])
        headers: dict[bytes, bytes] = dict(scope["headers"])
        key = await state["keys"].admit(headers.get(b"authorization", b""), MODERATORS)
        if scope["query_string"]:
            raise Malformed("This route has no query parameters.", problems=[Problem("", "query string: leave it out")])
        form = self.takes_forms and is_form(headers)
        if form:
            refuse_encoding(headers)
        else:
            require_json(headers)
        body, files = await read_body(receive, headers, state["settings"].max_body_bytes), NO_FILES
        if form:
            body, files = await asyncio.to_thread(read_form, headers[b"content-type"], body)
        call = Call(state, key, scope["state"]["request_id"], headers, body, started, files)
        answer = ENCODER.encode(await self.handle(call))
        length = str(len(answer)).encode()
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"application/json"), (b"content-length", length)],
            }
        )
        await send({"type": "http.response.body", "body": answer})
