"""What becomes of messages after they were answered: a few are kept as samples, and shadows say what they would have done.

    take(sent, decision) for each message -> a bounded queue -> masked, compared -> one transaction every FLUSH_SECONDS

Nobody waits for any of it. What does not fit is left out and counted; of one core it takes a fifth at most.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from time import monotonic, perf_counter
from typing import NamedTuple

from uuid_utils import uuid7

from service.backtest import names_of
from service.clock import Clock
from service.decide.decision import Decision
from service.engine import Engine
from service.errors import Unavailable
from service.record.database import Database
from service.record.samples import TrafficSample, add_samples
from service.record.sent import Sent
from service.record.shadows import (
    Both,
    CountKind,
    CountName,
    ShadowExample,
    add_shadow_counts,
    add_shadow_examples,
)
from service.record.withhold import kept_text, storable

MAX_QUEUE = 1000
"""Messages that wait to be looked at."""
MAX_WAITING = 5000
"""Samples, and examples, that wait to be written while the store is out."""
MAX_ROWS = 200
"""Samples that are written before their time."""
SLICE_SECONDS = 0.0005
"""How long it works before others have their turn; a long message may make it longer."""
REST = 4
"""How many times as long it rests as it worked."""
FLUSH_SECONDS = 1.0
CLOSE_SECONDS = 2.0
ALL = 1 << 64


@dataclass(frozen=True, slots=True)
class ShadowRun:
    """A shadow that runs in this process."""

    id: str
    tenant_id: str
    engine: Engine


@dataclass(frozen=True, slots=True)
class Watched:
    """What is wanted of one tenant's messages."""

    threshold: int
    """Below it a message's hash, of 64 bits, makes it a sample; 0: none is."""
    shadow: ShadowRun | None


class Taken(NamedTuple):
    """A message that waits to be looked at."""

    sent: Sent
    decision: Decision
    sampled: bool
    shadow: ShadowRun | None
    at: datetime


class Traffic:
    """One for each process. `dropped` hears of each message that did not fit, as `sample` or `shadow`."""

    def __init__(
        self, database: Database, clock: Clock, *, keep_evidence: bool, dropped: Callable[[str], None]
    ) -> None:
        self.tenants: dict[str, Watched] = {}
        """Those of whom anything is wanted; while it is empty nothing here costs anything."""
        self._database = database
        self._clock = clock
        self._keep_evidence = keep_evidence
        self._dropped = dropped
        self._queue: deque[Taken] = deque()
        self._called = asyncio.Event()
        self._samples: list[TrafficSample] = []
        self._examples: list[ShadowExample] = []
        self._counts: dict[CountName, Both] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to work; call it once, inside the event loop."""
        self._task = asyncio.create_task(self._run(), name="traffic")

    async def close(self) -> None:
        """Writes what was found, then stops; gives up where the store is out."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while self._queue:
                    self._look(self._queue.popleft())
                    await asyncio.sleep(0)
                await self.flush()

    def watch(self, tenant_id: str, watched: Watched | None) -> None:
        """From the next message on; None: nothing is wanted of the tenant any more."""
        if watched is None:
            self.tenants.pop(tenant_id, None)
        else:
            self.tenants[tenant_id] = watched

    def take(self, sent: Sent, decision: Decision) -> None:
        """A message was answered. Costs some microseconds for a tenant of whom something is wanted."""
        watched = self.tenants.get(sent.tenant_id)
        if watched is None:
            return
        sampled = decision.action == "allow" and is_sampled(watched.threshold, sent)
        if not sampled and watched.shadow is None:
            return
        if len(self._queue) >= MAX_QUEUE:
            self._leave_out(sampled, watched.shadow)
            return
        self._queue.append(Taken(sent, decision, sampled, watched.shadow, self._clock.now()))
        self._called.set()

    async def flush(self) -> None:
        """Writes what was found so far. Raises Unavailable, and keeps it, when the store is out."""
        samples, self._samples = self._samples, []
        examples, self._examples = self._examples, []
        counts, self._counts = self._counts, {}
        try:
            if samples or counts:
                async with self._database.write() as connection:
                    if samples:
                        await add_samples(connection, samples)
                    if counts:
                        await add_shadow_counts(connection, counts)
                    if examples:
                        await add_shadow_examples(connection, examples)
        except BaseException:
            self._samples, self._examples = samples + self._samples, examples + self._examples
            for name, both in counts.items():
                self._add(name, *both)
            raise

    async def _run(self) -> None:
        due = monotonic() + FLUSH_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, due - monotonic())):
                    await self._called.wait()
            began = perf_counter()
            while self._queue and perf_counter() - began < SLICE_SECONDS:
                self._look(self._queue.popleft())
            if not self._queue:
                self._called.clear()
            if monotonic() >= due or len(self._samples) >= MAX_ROWS:
                with suppress(Unavailable):
                    await self.flush()
                due = monotonic() + FLUSH_SECONDS
            await asyncio.sleep((perf_counter() - began) * REST if self._queue else 0)

    def _look(self, taken: Taken) -> None:
        if taken.sampled:
            self._keep(taken)
        if taken.shadow is not None:
            self._compare(taken, taken.shadow)

    def _keep(self, taken: Taken) -> None:
        if len(self._samples) >= MAX_WAITING:
            self._dropped("sample")
            return
        message = taken.sent.message
        self._samples.append(
            TrafficSample(
                id=str(uuid7()),
                tenant_id=taken.sent.tenant_id,
                at=taken.at,
                platform=message.platform,
                channel=message.channel,
                text=kept_text(taken.decision, message.text, keep_evidence=self._keep_evidence),
            )
        )

    def _compare(self, taken: Taken, shadow: ShadowRun) -> None:
        live, beside = taken.decision, shadow.engine.decide(taken.sent.message)
        self._count(shadow, taken.at, "messages", "", 1, 1)
        found, would_find = names_of(live), names_of(beside)
        for name in found ^ would_find:
            self._count(shadow, taken.at, "term", name, name in found, name in would_find)
        if live.action == beside.action:
            return
        self._count(shadow, taken.at, "decision", f"{live.action} -> {beside.action}", 1, 1)
        if len(self._examples) >= MAX_WAITING:
            return
        keep = self._keep_evidence
        # Masked as either would have it: what one of them takes for a phone number is one.
        text = kept_text(beside, kept_text(live, taken.sent.message.text, keep_evidence=keep), keep_evidence=keep)
        self._examples.append(
            ShadowExample(
                id=str(uuid7()),
                tenant_id=shadow.tenant_id,
                shadow_id=shadow.id,
                at=taken.at,
                platform=taken.sent.message.platform,
                text=text,
                before=live.action,
                after=beside.action,
                terms=tuple(sorted(map(storable, found ^ would_find))),
            )
        )

    def _leave_out(self, sampled: bool, shadow: ShadowRun | None) -> None:
        if sampled:
            self._dropped("sample")
        if shadow is not None:
            self._dropped("shadow")
            self._count(shadow, self._clock.now(), "skipped", "", 1, 1)

    def _count(self, shadow: ShadowRun, at: datetime, kind: CountKind, name: str, live: int, beside: int) -> None:
        self._add(CountName(shadow.id, at.date(), kind, storable(name)), int(live), int(beside))

    def _add(self, name: CountName, live: int, shadow: int) -> None:
        known = self._counts.get(name, Both(0, 0))
        self._counts[name] = Both(known.live + live, known.shadow + shadow)


def is_sampled(threshold: int, sent: Sent) -> bool:
    """By the hash of the request's id and the text: the same message of the same request always is, or is not."""
    if not threshold:
        return False
    text = sent.message.text.encode("utf-8", "surrogatepass")
    # The text as well, for all messages of a batch have one request.
    digest = blake2b(text, digest_size=8, key=sent.request_id.encode()[:64]).digest()
    return int.from_bytes(digest, "big") < threshold


def threshold_of(rate: float) -> int:
    """The bound that so many of all hashes are below."""
    return round(rate * ALL)
