"""Group commit: what waits is made durable together, and who waits is told once it is.

No timer collects a group: while one group is on its way to the disk the next one gathers by itself.

    write(entry) -> queue -> a group -> one transaction -> each caller's future
                                     -> the journal, where the database is out or too slow
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from cachetools import LRUCache

from service.errors import Unavailable
from service.record.breaker import Breaker
from service.record.charging import Charging
from service.record.database import Database
from service.record.journal.journal import Journal
from service.record.replies import Reply
from service.record.storing import RETRY_SECONDS, Entry, ReplyKey, Storing, Written, reply_key, settle

RECENT = 5_000
"""Replies that one process remembers, for retries that come while the database cannot be asked."""
LATER_SECONDS = 0.25
"""How long what nobody waits for gathers, so that many share a commit."""
LATELY = 10_000
"""Replies of such entries that one process remembers."""


class GroupWriter:
    """The only writer of incidents and replies in this process.

    `max_group` bounds the entries of one transaction, `max_waiting` those that wait for the next. Without a `journal`
    what the database does not take is refused; with one, a group waits `patience` seconds for the database, and while
    the breaker is open nobody waits for it.
    """

    def __init__(
        self,
        database: Database,
        max_group: int = 500,
        max_waiting: int = 5_000,
        charging: Charging | None = None,
        journal: Journal | None = None,
        patience: float = 1.0,
    ) -> None:
        self.storing = Storing(database, charging)
        self.journal = journal
        self.breaker = Breaker()
        self.late: asyncio.Task[None] | None = None
        """A transaction that outlasted the patience; it may still be committed."""
        self.patience = patience
        """Seconds that a group waits for the database."""
        self._max_group = max_group
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue(max_waiting)
        self._turn = asyncio.Lock()
        self._recent: LRUCache[ReplyKey, Reply] = LRUCache(RECENT)
        self._later: list[Entry] = []
        self._lately: LRUCache[ReplyKey, Reply] = LRUCache(LATELY)
        self._task: asyncio.Task[None] | None = None
        self._open = False

    def start(self) -> None:
        """Begins to write; call it once, inside the event loop."""
        self._open = True
        self._task = asyncio.create_task(self._drain(), name="group-writer")

    async def close(self) -> None:
        """Writes what waits, then stops. Later writes are refused."""
        if self._task is None:
            return
        if self._open:
            self._release()
            self._open = False
            await self._queue.put(None)
        await asyncio.shield(self._task)

    async def write(self, entry: Entry) -> Written:
        """Returns when the entry is durable, or when a reply of its was there before.

        Raises Unavailable when too many wait already, when the writer is closed, or when the entry can't be
        stored. A caller that is cancelled leaves its entry in the queue: it may still be written.
        """
        if not self._open:
            raise Unavailable("the store is not open; try again", retry_after=RETRY_SECONDS)
        waiting = _Waiting(entry)
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            raise Unavailable("too many incidents wait to be stored; try again", retry_after=RETRY_SECONDS) from None
        return await waiting.done

    def write_later(self, entry: Entry) -> None:
        """Writes it a moment later, together with others; nobody hears of it. `recall` finds its replies at once. Only for
        what may be lost: what finds too many before it is not written.
        """
        self._lately.update((reply_key(reply), reply) for reply in entry.replies)
        if not self._later:
            asyncio.get_running_loop().call_later(LATER_SECONDS, self._release)
        self._later.append(entry)

    def recall(self, key: ReplyKey) -> Reply | None:
        """The reply that was given to `write_later` in this process, while it is remembered."""
        return self._lately.get(key)

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """No group is written inside the block: for what must happen between two groups."""
        async with self._turn:
            yield

    async def in_time(self, work: asyncio.Task[None], seconds: float) -> bool:
        """Whether `work`, a transaction, ends within so many seconds. It is not cancelled: nobody could say then whether
        it was committed.
        """
        await asyncio.wait({work}, timeout=seconds)
        if not work.done():
            self.late = work
            self.breaker.open("too slow")
            # Whoever waited has gone; what it came to is found out by the replay.
            work.add_done_callback(lambda task: task.cancelled() or task.exception())
        return work.done()

    def remember(self, entries: Sequence[Entry]) -> None:
        """The database has these."""
        for entry in entries:
            self._recent.update((reply_key(reply), reply) for reply in entry.replies)

    def _release(self) -> None:
        entries, self._later = self._later, []
        for entry in entries if self._open else ():
            waiting = _Waiting(entry)
            waiting.done.add_done_callback(lambda done: done.cancelled() or done.exception())
            try:
                self._queue.put_nowait(waiting)
            except asyncio.QueueFull:
                return

    async def _drain(self) -> None:
        try:
            last = False
            while not last:
                group = [await self._queue.get()]
                while len(group) < self._max_group and not self._queue.empty():
                    group.append(self._queue.get_nowait())
                last = group[-1] is None
                if entries := [waiting for waiting in group if waiting is not None]:
                    async with self._turn:
                        await self._commit(entries)
        finally:
            self._open = False
            while not self._queue.empty():
                if waiting := self._queue.get_nowait():
                    waiting.fail(Unavailable("the store was closed", retry_after=RETRY_SECONDS))

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        """Tells every caller in `group` what became of its entry; raises nothing but cancellation."""
        try:
            if self.journal is None:
                await self._to_database(group)
            elif self.breaker.is_closed:
                await self.in_time(asyncio.create_task(self._to_database(group)), self.patience)
            left = [waiting for waiting in group if not waiting.done.done()]
            if left and self.journal is not None:
                if self.breaker.is_closed:
                    self.breaker.open("not reachable")
                await self._to_journal(self.journal, left)
        except Exception as error:
            self._fail(group, Unavailable("this incident could not be stored", retry_after=RETRY_SECONDS), error)
        except BaseException:
            self._fail(group, Unavailable("the store was closed", retry_after=RETRY_SECONDS))
            raise
        self._fail(group, Unavailable("the store cannot be used now; try again", retry_after=RETRY_SECONDS))

    async def _to_database(self, group: Sequence[_Waiting]) -> None:
        """Callers whose entries met a database that is out are told nothing."""
        try:
            results = await self.storing.store([waiting.entry for waiting in group])
        except Exception:
            await self._singly(group)
        else:
            for waiting, written in zip(group, results, strict=True):
                self._succeed(waiting, written)

    async def _singly(self, group: Sequence[_Waiting]) -> None:
        """One entry that the database refuses must not sink the others; but if nobody answers, nobody need
        wait.
        """
        for waiting in group:
            try:
                (written,) = await self.storing.store([waiting.entry], again=True)
                self._succeed(waiting, written)
            except Unavailable:
                return
            except Exception as error:
                waiting.fail(Unavailable("this incident could not be stored", retry_after=RETRY_SECONDS), error)

    async def _to_journal(self, journal: Journal, group: Sequence[_Waiting]) -> None:
        entries = [waiting.entry for waiting in group]
        stored, here = self._known(entries), journal.find(entries)
        results = list(settle(entries, stored | here, again=False))
        accepted = [entry for entry, written in zip(entries, results, strict=True) if written.existing is None]
        because = f"database {self.breaker.reason}"
        try:
            if accepted:
                await journal.append(accepted, datetime.now(UTC))
        except Unavailable as error:
            self._fail(group, error)
        for waiting, written in zip(group, results, strict=True):
            if written.existing is not None and reply_key(written.existing) in stored.keys() - here.keys():
                waiting.succeed(written)
            else:
                waiting.succeed(Written(written.existing, None, "journal", because))

    def _known(self, entries: Sequence[Entry]) -> dict[ReplyKey, Reply]:
        keys = [reply_key(reply) for entry in entries for reply in entry.replies]
        return {key: self._recent[key] for key in keys if key in self._recent}

    def _succeed(self, waiting: _Waiting, written: Written) -> None:
        if written.existing is not None:
            self._recent[reply_key(written.existing)] = written.existing
        elif written.repeats is None:
            self.remember([waiting.entry])
        waiting.succeed(written)

    def _fail(self, group: Sequence[_Waiting], error: Unavailable, cause: Exception | None = None) -> None:
        for waiting in group:
            waiting.fail(error, cause)


class _Waiting:
    """An entry and the future of the caller that waits for it."""

    __slots__ = ("done", "entry")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.done: asyncio.Future[Written] = asyncio.get_running_loop().create_future()

    def succeed(self, written: Written) -> None:
        if not self.done.done():  # the caller may have been cancelled
            self.done.set_result(written)

    def fail(self, error: Unavailable, cause: Exception | None = None) -> None:
        if not self.done.done():
            # Each caller gets an error of its own: one instance raised in many places would grow its
            # traceback.
            own = Unavailable(error.detail, code=error.code, retry_after=error.retry_after)
            own.__cause__ = cause or error
            self.done.set_exception(own)
