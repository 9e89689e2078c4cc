"""Notes and retractions in helpdesks, behind the answer: bounded, tried again, their result noted with the calls.

checked, after delivery -> waits its turn -> Tool.follow_up, up to four times -> the connection's last calls
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, field
from time import perf_counter

import httpx
import stamina
from structlog.typing import FilteringBoundLogger
from uuid_utils import uuid7

from service.api.hooks.connected import Connected
from service.api.hooks.notes import FollowUpSettings, NotSetUp, wants_note, wants_retraction
from service.api.hooks.tool import Checked
from service.clock import Clock
from service.errors import Unavailable
from service.outbound.transport import ForbiddenAddress
from service.record.calls import CallVerdict, HookCall

TRIES = 4
FIRST_WAIT = 0.5
"""Seconds, doubled from try to try."""
LONGEST_WAIT = 30.0
MOST_WAITING = 1_000
MOST_OF_ONE = 200
"""Follow-ups of one connection that may wait, so that a dead helpdesk leaves room for the others."""
AT_ONCE = 4
"""Requests to one connection's tool."""
AGAIN = frozenset({408, 425, 429})
Note = Callable[[str, HookCall], None]
"""(provider, call): where results are noted."""


def worth_another_try(error: Exception) -> bool | float:
    """Whether it may pass by itself, or after how many seconds the other side says that it will."""
    if isinstance(error, httpx.HTTPStatusError):
        status, wait = error.response.status_code, error.response.headers.get("retry-after", "")
        if status not in AGAIN and status < 500:
            return False
        return min(float(wait), LONGEST_WAIT) if wait.isascii() and wait.isdigit() else True
    if isinstance(error, ForbiddenAddress | httpx.UnsupportedProtocol):
        return False
    return isinstance(error, httpx.HTTPError | Unavailable)


def why_not(error: Exception) -> tuple[int, str]:
    """(status of the tool's answer or 0, the reason in words of ours): an error's own text may hold an address."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code, f"answered {error.response.status_code}"
    if isinstance(error, NotSetUp):
        return 0, str(error)
    if isinstance(error, ForbiddenAddress):
        return 0, "`api_base` leads to an address that is not public"
    return 0, type(error).__name__


def attempts() -> AsyncIterable[stamina.Attempt]:
    """The tries of one call to a tool."""
    return stamina.retry_context(
        on=worth_another_try,
        attempts=TRIES,
        timeout=None,
        wait_initial=FIRST_WAIT,
        wait_max=LONGEST_WAIT,
        wait_jitter=0.2,
    )


@dataclass(slots=True)
class _Lane:
    """What waits for one connection."""

    waiting: int = 0
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


class FollowUps:
    """`close` drains it. `client` reaches no private addresses unless it is allowed to."""

    def __init__(self, client: httpx.AsyncClient, note: Note, clock: Clock, log: FilteringBoundLogger) -> None:
        self._client = client
        self._note = note
        self._clock = clock
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: dict[str, _Lane] = {}

    def add(self, connected: Connected, checked: Checked) -> None:
        """Leaves the note, takes the message back, where the connection is told to; a repeat does nothing. Never waits:
        what finds too many before it is noted as failed.
        """
        settings, outcome = connected.settings, checked.outcome
        if connected.tool.follow_up is None or not isinstance(settings, FollowUpSettings):
            return
        if (
            outcome is None
            or outcome.replayed
            or not (wants_note(checked, settings) or wants_retraction(checked, settings))
        ):
            return
        lane = self._lanes.setdefault(connected.connection.id, _Lane())
        if len(self._tasks) >= MOST_WAITING or lane.waiting >= MOST_OF_ONE:
            self._tell(connected, "failed", 0, 0.0, "too many follow-ups wait")
            return
        lane.waiting += 1
        task = asyncio.create_task(self._run(connected, checked, lane), name="follow-up")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, patience: float) -> None:
        """Lets what waits come to its end for `patience` seconds; the rest is given up, and noted."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=patience)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _run(self, connected: Connected, checked: Checked, lane: _Lane) -> None:
        started, status, reason = perf_counter(), 0, "the service was stopped"
        verdict: CallVerdict = "failed"
        try:
            async with lane.turns:
                started = perf_counter()
                await self._try(connected, checked)
            verdict, status, reason = "followed_up", 200, ""
        except Exception as error:
            status, reason = why_not(error)
        finally:
            lane.waiting -= 1
            if not lane.waiting:
                self._lanes.pop(connected.connection.id, None)
            self._tell(connected, verdict, status, (perf_counter() - started) * 1000, reason)

    async def _try(self, connected: Connected, checked: Checked) -> None:
        follow_up = connected.tool.follow_up
        async for attempt in attempts():
            with attempt:
                if follow_up is not None:
                    await follow_up(checked, connected.secret, connected.settings, self._client)

    def _tell(self, connected: Connected, verdict: CallVerdict, status: int, took_ms: float, reason: str) -> None:
        provider, own_id = connected.tool.provider, connected.connection.id
        if verdict == "failed":
            self._log.warning("follow_up_failed", provider=provider, connection_id=own_id, why=reason)
        call = HookCall(
            id=str(uuid7()),
            connection_id=own_id,
            at=self._clock.now(),
            verdict=verdict,
            status=status,
            messages=1,
            latency_ms=round(took_ms, 3),
            reason=f"follow-up: {reason}" if reason else None,
        )
        self._note(provider, call)
