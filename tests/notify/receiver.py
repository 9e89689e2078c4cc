"""Whoever is told, on loopback: answers what a test says, can be down and come back, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

from tests.web import reply

OK = reply("204 No Content")
HANG = None
"""Takes the request and never answers."""
Answer = bytes | None


@dataclass(frozen=True)
class Told:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    def verify(self, secret: str) -> dict[str, Any]:
        """Raises unless the reference library finds it well signed."""
        event: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return event


@dataclass
class Receiver:
    """Its port, how it answers, and the requests that it has answered."""

    port: int = 0
    answer: Callable[[Told], Answer] = lambda _: OK
    told: list[Told] = field(default_factory=list)
    most_at_once: int = 0
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _inside: int = 0
    _server: asyncio.Server | None = None
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [each.event for each in self.told]

    async def heard(self, number: int, *kinds: str) -> None:
        """Returns once it was told so often, and of each of `kinds`."""
        async with asyncio.timeout(30):
            while len(self.told) < number or not set(kinds) <= {each["type"] for each in self.events}:
                self._heard.clear()
                await self._heard.wait()

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._server.wait_closed()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        self._inside += 1
        self.most_at_once = max(self.most_at_once, self._inside)
        try:
            head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            told = Told(head.split(" ")[1], headers, await reader.readexactly(int(headers["content-length"])))
            answer = self.answer(told)
            self.told.append(told)
            self._heard.set()
            if answer is HANG:
                await asyncio.sleep(3600)
            else:
                await asyncio.sleep(0)
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._inside -= 1
            self._running.discard(task)
            writer.close()


@asynccontextmanager
async def receiving(answer: Callable[[Told], Answer] = lambda _: OK) -> AsyncIterator[Receiver]:
    receiver = Receiver(answer=answer)
    await receiver.up()
    try:
        yield receiver
    finally:
        await receiver.down()
