"""Load on a port of this machine, for a few seconds: by wrk where it is installed, else by a client of our own.

Both send the bodies of a file one after the other, as `messages.lua` describes.
"""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import cast

import uvloop

from bench.report import BenchError

CONNECTIONS = 32
HOST = "127.0.0.1"
LUA = Path(__file__).with_name("messages.lua")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_runs = count(1)


@dataclass(frozen=True, slots=True)
class Load:
    """What came back in one run."""

    rate: float
    """Answers a second."""
    p50_ms: float
    p99_ms: float


def client_name() -> str:
    return "wrk" if shutil.which("wrk") else "bench.load"


def run_load(
    port: int, bodies: Path, key: str, seconds: float, pause_ms: float = 0, connections: int = CONNECTIONS
) -> Load:
    """`/v1/moderate` for so many seconds. Raises BenchError when an answer was not 200: such figures mean nothing."""
    tag = f"{port}-{next(_runs)}-"
    run = _run_wrk if shutil.which("wrk") else _run_own
    rate, p50, p99, failed = run(port, bodies, key, seconds, tag, pause_ms, connections)
    if failed or not rate:
        raise BenchError(f"{failed} of the requests failed or were refused; nothing was measured")
    return Load(rate, p50, p99)


Result = tuple[float, float, float, int]


def _run_wrk(port: int, bodies: Path, key: str, seconds: float, tag: str, pause_ms: float, connections: int) -> Result:
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds:.0f}s",
        "-s",
        str(LUA),
        f"http://{HOST}:{port}/v1/moderate",
    ]
    done = subprocess.run(
        [*command, "--", str(bodies), key, tag, f"{pause_ms:.3f}"],
        capture_output=True,
        text=True,
        timeout=seconds + 20,
        check=False,
    )
    found = re.search(r"^LOAD (\S+) (\S+) (\S+) (\d+)$", done.stdout, re.MULTILINE)
    if not found:
        raise BenchError(f"wrk did not finish: {done.stderr or done.stdout}")
    return float(found[1]), float(found[2]), float(found[3]), int(found[4])


def _run_own(port: int, bodies: Path, key: str, seconds: float, tag: str, pause_ms: float, connections: int) -> Result:
    run = Run(
        [line.encode().partition(b"<n>") for line in bodies.read_text(encoding="utf-8").splitlines()],
        f"POST /v1/moderate HTTP/1.1\r\nHost: {HOST}:{port}\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: ".encode(),
        tag.encode(),
        pause_ms / 1000,
    )
    took = uvloop.run(run.over(port, seconds, connections))
    times = sorted(run.times) or [0.0]
    p50, p99 = (times[int(len(times) * part)] * 1000 for part in (0.5, 0.99))
    return len(run.times) / took, p50, p99, run.failed


@dataclass(slots=True)
class Run:
    """What the connections of one run share."""

    bodies: Sequence[tuple[bytes, bytes, bytes]]
    head: bytes
    tag: bytes
    pause: float
    """Mean seconds to wait before the next request."""
    times: list[float] = field(default_factory=list)
    failed: int = 0
    sent: int = 0
    ends: float = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    async def over(self, port: int, seconds: float, connections: int) -> float:
        """The seconds that it took."""
        loop = asyncio.get_running_loop()
        started = perf_counter()
        self.ends = started + seconds
        opened = [await loop.create_connection(lambda: Connection(self), HOST, port) for _ in range(connections)]
        finished = asyncio.gather(*(connection.finished.wait() for _, connection in opened))
        try:
            await asyncio.wait_for(finished, seconds + 10)
        finally:
            for transport, _ in opened:
                transport.close()
        return perf_counter() - started

    def request(self) -> bytes:
        before, numbered, after = self.bodies[self.sent % len(self.bodies)]
        self.sent += 1
        body = before + self.tag + str(self.sent).encode() + after if numbered else before
        return self.head + str(len(body)).encode() + b"\r\n\r\n" + body


class Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last one is complete."""

    def __init__(self, run: Run) -> None:
        self.finished = asyncio.Event()
        self._run = run
        self._answer = b""
        self._started = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._pause()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, blank, body = self._answer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not blank or not length or len(body) < int(length[1]):
            return
        self._run.times.append(perf_counter() - self._started)
        self._run.failed += not head.startswith(b"HTTP/1.1 200 ")
        self._answer = b""
        self._pause()

    def connection_lost(self, error: Exception | None) -> None:
        self._run.failed += not self.finished.is_set()
        self.finished.set()

    def _pause(self) -> None:
        if perf_counter() >= self._run.ends:
            self.finished.set()
        elif self._run.pause:
            asyncio.get_running_loop().call_later(self._run.chance.random() * 2 * self._run.pause, self._send)
        else:
            self._send()

    def _send(self) -> None:
        if self._transport and not self._transport.is_closing():
            self._started = perf_counter()
            self._transport.write(self._run.request())
