"""Sends what the outbox holds, as long as the process lives.

    due endpoints -> claims -> each sent by a task of its own -> settled in groups -> woken, round again

Several processes may do so on one database: a claim is one process's until its lease ends. What a process leaves behind
when it is killed is sent again when its leases end, so a receiver may hear of an event twice, but never of none.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from structlog.typing import FilteringBoundLogger

from service.clock import Clock
from service.errors import DataError, Unavailable
from service.notify.exchange import Answer, Heard, NotHeard, Target, Verdict
from service.notify.schedule import LONGEST_PAUSE, next_attempt
from service.notify.send import Sender
from service.notify.targets import pace_of, secrets_of, target_of
from service.record.database import Database
from service.record.deliveries import outbox_depth
from service.record.dispatch import Claim, Settlement, claim, due_endpoints, settle
from service.record.endpoints import Endpoint
from service.record.event import TEST_TYPE, Event, new_event
from service.record.expiry import announce_ended
from service.record.sealed import Sealer

POLL_SECONDS = 0.5
"""How long a new event waits at most until somebody looks."""
GATHER_SECONDS = 0.01
SWEEP_SECONDS = 15.0
"""Between two looks at what has ended by itself, and at how much waits."""
LEASE = timedelta(seconds=30)
"""Twice what an attempt may take."""
AT_ONCE = 16
"""Attempts to one endpoint, each of another subject."""
IN_ALL = 64
"""Attempts of this process."""
CLOSE_SECONDS = 3.0
"""For what is under way when the process stops; what takes longer is sent again by the next."""


class Deliverer:
    """One process's share of the sending. `start` it inside the event loop, `close` it before the database."""

    def __init__(
        self,
        database: Database,
        sender: Sender,
        sealer: Sealer,
        clock: Clock,
        log: FilteringBoundLogger,
        *,
        public_url: str = "",
        give_up_after: timedelta = timedelta(days=3),
        count: Callable[[str], None] = lambda _: None,
        depth: Callable[[int], None] = lambda _: None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`count` is told the outcome of every attempt, `depth` how many deliveries wait."""
        self._database = database
        self.sender = sender
        self._sealer = sealer
        self._clock = clock
        self._log = log
        self._public_url = public_url
        self._give_up_after = give_up_after
        self._count = count
        self._depth = depth
        self._chance = chance
        self._attempts: dict[asyncio.Task[None], str] = {}
        self._done: list[Settlement] = []
        self._settling = asyncio.Lock()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._sweep_forever())]

    async def close(self) -> None:
        """Claims nothing more, waits a little for what is under way, and gives the rest back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        under_way = list(self._attempts)
        if under_way:
            await asyncio.wait(under_way, timeout=CLOSE_SECONDS)
        for attempt in under_way:
            attempt.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        with suppress(Unavailable):
            await self._settle()
        await self.sender.close()

    async def turn(self) -> int:
        """Claims what is due and sets out to send it; how many attempts began. Raises Unavailable."""
        begun = 0
        now = self._clock.now()
        due = await due_endpoints(self._database, now)
        random.shuffle(due)
        for endpoint_id in due:
            busy = sum(1 for each in self._attempts.values() if each == endpoint_id)
            free = min(AT_ONCE - busy, IN_ALL - len(self._attempts))
            if free > 0:
                begun += await self._claim(endpoint_id, now, free)
        return begun

    async def idle(self) -> None:
        """Returns when nothing is under way, and all that was is settled."""
        while self._attempts:
            await asyncio.wait(list(self._attempts))
        await self._settle()

    async def sweep(self) -> None:
        """Tells of what has ended by itself, and counts what waits. Raises Unavailable."""
        await announce_ended(self._database, self._clock.now())
        self._depth(await outbox_depth(self._database))

    async def try_out(self, endpoint: Endpoint) -> tuple[Answer, Verdict]:
        """Sends an event of no consequence at once; it is kept nowhere."""
        now = self._clock.now()
        data = {"endpoint_id": endpoint.id, "message": "慎言推送测试，收到即表示配置正确"}
        event = new_event(endpoint.tenant_id, TEST_TYPE, f"webhook-endpoints/{endpoint.id}", now, data)
        return await self._send(endpoint, event)

    async def _follow(self) -> None:
        while True:
            # Before the look, so that what is settled meanwhile is not missed.
            self._wake.clear()
            try:
                await self._settle()
                await self.turn()
            except Unavailable:
                pass
            except Exception as error:
                # Whatever it is, the next round may do better; nobody else would send.
                self._log.error("webhooks_stumbled", error=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
                # Others end at about the same time: one claim for all their places.
                await asyncio.sleep(GATHER_SECONDS)

    async def _sweep_forever(self) -> None:
        while True:
            try:
                await self.sweep()
            except Unavailable:
                pass
            except Exception as error:
                self._log.error("webhooks_stumbled", error=type(error).__name__)
            await asyncio.sleep(SWEEP_SECONDS)

    async def _claim(self, endpoint_id: str, now: datetime, limit: int) -> int:
        async with self._database.write() as connection:
            claimed = await claim(connection, endpoint_id, now, limit, LEASE, pace_of)
        if claimed is None:
            return 0
        endpoint, claims = claimed
        for each in claims:
            attempt = asyncio.create_task(self._attempt(endpoint, each, now))
            self._attempts[attempt] = endpoint_id
            attempt.add_done_callback(lambda done: self._attempts.pop(done, None))
        return len(claims)

    async def _attempt(self, endpoint: Endpoint, claimed: Claim, started: datetime) -> None:
        try:
            answer, verdict = await self._send(endpoint, event_of(endpoint, claimed))
        except asyncio.CancelledError:
            self._done.append(self._settlement(endpoint, claimed, "released", self._clock.now()))
            raise
        except Exception as error:
            self._log.error("webhook_not_written", endpoint_id=endpoint.id, error=type(error).__name__)
            answer, verdict = Answer(0.0), NotHeard(f"could not be written ({type(error).__name__})")
        settlement = self._judged(endpoint, claimed, started, answer, verdict)
        self._count(settlement.outcome)
        if settlement.switch_off or settlement.outcome == "dead":
            self._log.warning(
                "webhook_given_up", endpoint_id=endpoint.id, outcome=settlement.outcome, error=settlement.error
            )
        self._done.append(settlement)
        with suppress(Unavailable):
            await self._settle()

    async def _send(self, endpoint: Endpoint, event: Event) -> tuple[Answer, Verdict]:
        target: Target = target_of(endpoint.kind, endpoint.envelope, self._public_url)
        now = self._clock.now()
        try:
            url, secrets = self._sealer.open(endpoint.url_sealed), secrets_of(endpoint, self._sealer, now)
        except DataError as error:
            return Answer(0.0, error=error.detail), NotHeard(error.detail)
        answer = await self.sender.send(target.write(event, url, secrets, now))
        return answer, target.judge(answer)

    def _judged(
        self, endpoint: Endpoint, claimed: Claim, started: datetime, answer: Answer, verdict: Verdict
    ) -> Settlement:
        now = self._clock.now()
        if isinstance(verdict, Heard):
            return self._settlement(endpoint, claimed, "delivered", now, answer)
        again = None if verdict.gone else next_attempt(
            claimed.attempts, claimed.first_attempt_at, started, now, self._chance(), verdict.pause
        )  # fmt: skip
        failed = self._settlement(endpoint, claimed, "failed" if again else "dead", again or now, answer)
        pause = timedelta(seconds=min(verdict.pause, LONGEST_PAUSE)) if verdict.pause else None
        return msgspec.structs.replace(
            failed,
            error=verdict.error,
            pause_until=now + pause if pause else None,
            switch_off=verdict.error if verdict.gone else None,
        )

    def _settlement(
        self, endpoint: Endpoint, claimed: Claim, outcome: str, at: datetime, answer: Answer | None = None
    ) -> Settlement:
        return Settlement(
            claim=claimed,
            endpoint_id=endpoint.id,
            outcome=outcome,
            next_attempt_at=at,
            status=answer.status if answer else None,
            latency_ms=answer.latency_ms if answer else None,
        )

    async def _settle(self) -> None:
        """One transaction for all that is over. While one is on its way to the disk, the next group gathers."""
        async with self._settling:
            if not self._done:
                return
            group, self._done = self._done, []
            try:
                async with self._database.write() as connection:
                    await settle(connection, group, self._clock.now(), self._give_up_after)
            except BaseException:
                # What can't be noted now is noted with the next one, or its lease ends and it is sent again.
                self._done = group + self._done
                raise
            self._wake.set()


def event_of(endpoint: Endpoint, claimed: Claim) -> Event:
    return Event(
        id=claimed.event_id,
        tenant_id=endpoint.tenant_id,
        type=claimed.type,
        subject=claimed.subject,
        at=claimed.at,
        data=msgspec.json.decode(claimed.body),
    )
