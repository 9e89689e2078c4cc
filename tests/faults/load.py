"""Messages by the thousand, over plain connections, and a list of everything that the answers promised."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import Any

import msgspec
from uuid_utils import uuid7

AGENTS = 20
BAD = "你真是个傻逼 {}"
"""By the scheme `ten_point` each costs its agent one point."""


class Load:
    """`connections` clients, each with one message at a time. A message without an answer is sent again, as it was."""

    def __init__(self, port: int, key: str, connections: int = 16, *, clean: bool = False) -> None:
        self.sent = 0
        self.promised: dict[str, int] = {}
        """Incident id -> number of the message."""
        self.answers: Counter[str] = Counter()
        """By decision and where it is recorded, or by status; `broken` for connections that ended without an answer."""
        self.degraded: Counter[str] = Counter()
        self.milliseconds: list[float] = []
        self.without_retry_after = 0
        self._port = port
        self._key = key
        self._name = str(uuid7())
        self._connections = connections
        self._text = "亲，已经为您安排发货了 {}" if clean else BAD
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def run(self, until: Callable[[], bool]) -> None:
        """Sends until `until` says so, asked between messages."""
        self.start()
        while not until():  # noqa: ASYNC110  it may be about anything
            await asyncio.sleep(0.01)
        await self.stop()

    def start(self) -> None:
        self._stopping = False
        self._tasks = [asyncio.create_task(self._send_forever()) for _ in range(self._connections)]

    async def stop(self) -> None:
        """Returns when each message that was begun is answered or given up."""
        self._stopping = True
        await asyncio.gather(*self._tasks)

    @property
    def p99(self) -> float:
        """Milliseconds of answers with status 200."""
        ordered = sorted(self.milliseconds) or [0.0]
        return ordered[int(len(ordered) * 0.99)]

    async def _send_forever(self) -> None:
        connection = Connection(self._port, self._key)
        while not self._stopping:
            self.sent += 1
            await self._send(connection, self.sent)
        connection.close()

    async def _send(self, connection: Connection, number: int) -> None:
        body = {
            "text": self._text.format(number),
            "platform": "kuaishou",
            "shop_id": "shop-1",
            "agent_id": f"agent-{number % AGENTS}",
            "customer_id": f"customer-{number}-{self._name}",
            "message_id": f"message-{number}-{self._name}",
        }
        for _ in range(100):
            started = perf_counter()
            try:
                async with asyncio.timeout(30):
                    status, headers, answer = await connection.post("/v1/moderate", body)
            except (OSError, EOFError):
                connection.close()
                self.answers["broken"] += 1
                if self._stopping:
                    return
                await asyncio.sleep(0.02)
                continue
            if status == 200:
                self.milliseconds.append((perf_counter() - started) * 1000)
                self._note(number, answer)
                return
            self.answers[str(status)] += 1
            self.without_retry_after += status == 503 and "retry-after" not in headers
            if self._stopping:
                return
            await asyncio.sleep(0.05)

    def _note(self, number: int, answer: dict[str, Any]) -> None:
        self.answers[f"{answer['decision']} {answer['recorded']}"] += 1
        self.degraded.update(answer["degraded"])
        if answer["incident_id"]:
            self.promised[answer["incident_id"]] = number


class Connection:
    """HTTP/1.1 on one connection: little work for the machine that is measured at the same time."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: object) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Status, headers, JSON. Raises OSError or EOFError when the connection ends before the answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        data = msgspec.json.encode(body)
        writer.write(f"POST {path} HTTP/1.1\r\n{self._head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        await writer.drain()
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        answer = msgspec.json.decode(await reader.readexactly(int(headers["content-length"])))
        if headers.get("connection") == "close":
            self.close()
        return int(first.split()[1]), headers, answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
