"""Brings what waits in the journal into the database: oldest first, in small groups, each entry once.

    asleep -> (something waits, and it is time to ask) -> ping -> groups -> the last ones while nobody writes -> closed

Live messages go on into the journal until it is empty, so that what they cost is charged in the order of its happening.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from service.errors import Unavailable
from service.record.database import Database
from service.record.journal.journal import ENCODER, Journal, Record
from service.record.storing import Entry
from service.record.writer import GroupWriter

GROUP = 200
LAST = 100
"""So few are written while live messages wait."""
SLOWEST_SECONDS = 15.0
"""For one group; a live one would long have gone to the journal."""
TICK_SECONDS = 0.1
ADOPT_SECONDS = 5.0
CLOSE_SECONDS = 1.0


class _Group(NamedTuple):
    """What is being written."""

    taken: list[tuple[Record, Entry | None]]
    work: asyncio.Task[None]


class Replayer:
    """`start` before the first message, `close` after the writer."""

    def __init__(
        self,
        database: Database,
        writer: GroupWriter,
        journal: Journal,
        log: FilteringBoundLogger,
        *,
        replayed: Callable[[], None] = lambda: None,
        aside: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """`replayed` hears of each entry that the database has got, `aside` of each that it won't, with the reason."""
        self._database = database
        self._writer = writer
        self._journal = journal
        self._log = log
        self._replayed = replayed
        self._aside = aside
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Takes the journal's place on the disk, and over what ended processes have left."""
        self._journal.aside.report = self._put_aside
        await self._journal.open()
        if self._journal.problem:
            self._log.error("journal_not_writable", problem=self._journal.problem)
        if await self._adopt():
            # Older than all that comes now.
            self._writer.breaker.open("catching up")
        self._task = asyncio.create_task(self._run(), name="replayer")

    async def close(self) -> None:
        """Stops; what waits is left to the next process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._writer.late is not None:
            await asyncio.wait({self._writer.late}, timeout=CLOSE_SECONDS)
        await self._journal.close()

    async def catch_up(self) -> None:
        """Replays all that waits. Raises Unavailable where the database does not take it."""
        await self._database.ping()
        before, gaining = self._journal.waiting, True
        while not await self._finish():
            # More may come in than the database takes: then the live messages wait for a group now and then.
            group = self._begin(GROUP)
            if not gaining:
                async with self._writer.hold():
                    await asyncio.wait({group.work}, timeout=self._writer.patience)
            await self._end(group)
            # Once they have to wait they wait to the end, or they would take back what was gained.
            gaining = gaining and self._journal.waiting < before - GROUP // 2
            before = self._journal.waiting

    async def _finish(self) -> bool:
        """Replays the last ones while nobody writes, if they are few; True when nothing is left."""
        if self._journal.waiting > LAST:
            return False
        async with self._writer.hold():
            group = self._begin(LAST)
            await asyncio.wait({group.work}, timeout=self._writer.patience)
            if group.work.done():
                await self._end(group)
                await self._journal.empty()
                if not self._writer.breaker.is_closed:
                    self._writer.breaker.close()
                    self._log.info("journal_replayed", entries=self._journal.replayed)
                return True
        await self._end(group)
        return False

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        adopt_at = loop.time() + ADOPT_SECONDS
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if loop.time() >= adopt_at:
                adopt_at = loop.time() + ADOPT_SECONDS
                await self._adopt()
                if self._journal.problem:
                    await self._journal.open()
            await self._look()

    async def _look(self) -> None:
        writer = self._writer
        if (writer.breaker.is_closed and not self._journal.waiting) or not writer.breaker.may_ask():
            return
        if writer.late is not None and not writer.late.done():
            # It holds locks, and may yet write what waits here.
            return
        try:
            await self.catch_up()
        except Unavailable:
            writer.breaker.still_out("not reachable" if writer.late is None or writer.late.done() else "too slow")
        except Exception as error:
            # Whatever it is: who ended here would never try again.
            self._log.error("replay_failed", exception=type(error).__name__)
            writer.breaker.still_out("catching up")

    async def _adopt(self) -> int:
        adopted = await self._journal.adopt()
        if adopted:
            self._log.warning("journal_adopted", entries=adopted)
        return adopted

    def _begin(self, limit: int) -> _Group:
        """Begins to write the oldest ones."""
        taken = self._journal.take(limit)
        for record, entry in taken:
            if entry is None:
                self._journal.aside.put(_name(record), record.segment.read_at(*record.place), "damaged")
        readable = [(record, entry) for record, entry in taken if entry is not None]
        return _Group(taken, asyncio.create_task(self._store(readable)))

    async def _end(self, group: _Group) -> None:
        """Waits for them, and lets them go. Raises Unavailable where the database has not taken them."""
        if not await self._writer.in_time(group.work, SLOWEST_SECONDS):
            raise Unavailable("the database is too slow")
        group.work.result()
        await self._journal.confirm(group.taken)
        for _ in group.taken:
            self._replayed()

    async def _store(self, taken: Sequence[tuple[Record, Entry]]) -> None:
        entries = [entry for _, entry in taken]
        if not entries:
            return
        try:
            self._note(await self._writer.storing.replay(entries), entries)
        except Unavailable:
            raise
        except Exception:
            for record, entry in taken:
                await self._store_one(record, entry)

    async def _store_one(self, record: Record, entry: Entry) -> None:
        try:
            self._note(await self._writer.storing.replay([entry]), [entry])
        except Unavailable:
            raise
        except Exception as error:
            # The next time it would be refused again, and hold up all that is behind it.
            self._journal.aside.put(_name(record), ENCODER.encode(entry), "refused")
            self._log.error("entry_refused", error=type(error).__name__)

    def _note(self, conflicts: int, entries: Sequence[Entry]) -> None:
        self._writer.remember(entries)
        if conflicts:
            self._log.warning("retry_key_reused", entries=conflicts)

    def _put_aside(self, name: str, reason: str, size: int) -> None:
        self._aside(reason)
        self._log.error("journal_record_set_aside", file=name, reason=reason, bytes=size)


def _name(record: Record) -> str:
    return f"{record.segment.path.stem}-{record.place.start}"
