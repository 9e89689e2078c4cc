"""Group commit: what waits goes into one transaction, and who waits is told once it is durable.

No timer collects a group: while one commit is on its way to the disk the next group gathers by itself.

    write(entry) -> queue -> a group -> one transaction -> each caller's future
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from operator import attrgetter

import msgspec
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Unavailable
from service.record import schema
from service.record.account import agent_account, shop_account
from service.record.charging import Charging
from service.record.database import Database, insert_new
from service.record.hourly import count_incidents
from service.record.incident import Incident
from service.record.ledger import Numbers, lock_accounts
from service.record.repeats import count_repeats
from service.record.replies import Reply

ReplyKey = tuple[str, str, str]
"""Tenant, scope, key: what makes a reply one of a kind."""
_reply_key = attrgetter("tenant_id", "scope", "reply_key")

RETRY_SECONDS = 1.0
MAX_RACES = 5
"""How often a group starts again because another process stored one of its replies first."""


class Entry(msgspec.Struct, frozen=True):
    """What one request leaves behind; stored whole or not at all."""

    incident: Incident | None = None
    """None for an `allow`, of which only the reply is kept."""
    replies: tuple[Reply, ...] = ()


class Written(msgspec.Struct, frozen=True):
    """What became of an entry."""

    existing: Reply | None = None
    """The reply that was there first; then nothing of the entry was written. None when all of it is
    durable.
    """
    repeats: str | None = None
    """Id of the earlier incident that this one is one more attempt at; then no incident of its own was stored."""


WRITTEN = Written()


class _Lost(Exception):
    """Another process stored one of the group's replies between our look and our insert."""


class GroupWriter:
    """The only writer of incidents and replies in this process.

    `max_group` bounds the entries of one transaction, `max_waiting` those that wait for the next. Without `charging`
    incidents are stored one by one, and nobody is charged.
    """

    def __init__(
        self,
        database: Database,
        max_group: int = 500,
        max_waiting: int = 5_000,
        charging: Charging | None = None,
    ) -> None:
        self._database = database
        self._charging = charging
        self._max_group = max_group
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue(max_waiting)
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

    async def _drain(self) -> None:
        try:
            last = False
            while not last:
                group = [await self._queue.get()]
                while len(group) < self._max_group and not self._queue.empty():
                    group.append(self._queue.get_nowait())
                last = group[-1] is None
                if entries := [waiting for waiting in group if waiting is not None]:
                    await self._commit(entries)
        finally:
            self._open = False
            while not self._queue.empty():
                if waiting := self._queue.get_nowait():
                    waiting.fail(Unavailable("the store was closed", retry_after=RETRY_SECONDS))

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        """Tells every caller in `group` what became of its entry; raises nothing but cancellation."""
        try:
            results = await self._store([waiting.entry for waiting in group])
        except Exception:
            await self._commit_singly(group)
        except BaseException:
            for waiting in group:
                waiting.fail(Unavailable("the store was closed", retry_after=RETRY_SECONDS))
            raise
        else:
            for waiting, written in zip(group, results, strict=True):
                waiting.succeed(written)

    async def _commit_singly(self, group: Sequence[_Waiting]) -> None:
        """One entry that the database refuses must not sink the others; but if nobody answers, nobody need
        wait.
        """
        outage: Unavailable | None = None
        for waiting in group:
            if outage is not None:
                waiting.fail(outage)
                continue
            try:
                (written,) = await self._store([waiting.entry], again=True)
                waiting.succeed(written)
            except Unavailable as error:
                outage = error
                waiting.fail(error)
            except Exception as error:
                waiting.fail(Unavailable("this incident could not be stored", retry_after=RETRY_SECONDS), error)

    async def _store(self, entries: Sequence[Entry], *, again: bool = False) -> list[Written]:
        """Writes `entries` in one transaction; the result stands in their order.

        With `again` the first try may have been committed without our hearing of it, so a stored reply that
        equals the entry's own is its own.
        """
        stored: dict[ReplyKey, Reply] = {}
        for _ in range(MAX_RACES):
            results = list(_settle(entries, stored, again))
            accepted = [entry for entry, written in zip(entries, results, strict=True) if written.existing is None]
            try:
                async with self._database.write() as connection:
                    repeats = await self._write_in(connection, accepted, stored)
                return [_told(entry, written, repeats) for entry, written in zip(entries, results, strict=True)]
            except _Lost:
                # Most groups meet no stored reply, so looking comes only after losing.
                async with self._database.read() as connection:
                    stored = await _stored_replies(connection, entries)
        raise Unavailable("other processes keep storing the same replies; try again", retry_after=RETRY_SECONDS)

    async def _write_in(
        self, connection: AsyncConnection, entries: Sequence[Entry], known: dict[ReplyKey, Reply]
    ) -> dict[str, str]:
        """Writes `entries`; returns which of their incidents are one more attempt at which other."""
        incidents = [entry.incident for entry in entries if entry.incident is not None]
        repeats: dict[str, str] = {}
        numbers: Numbers = {}
        if self._charging is not None and incidents:
            # Accounts before all else, as everybody locks them, so that no two transactions wait for each other.
            agents = [agent_account(each.tenant_id, each.shop_id, each.agent_id) for each in incidents]
            shops = [shop_account(each.tenant_id, each.shop_id) for each in incidents]
            numbers = await lock_accounts(connection, [*agents, *shops])
            incidents, repeats = await count_repeats(connection, incidents, self._charging.repeat_seconds)
        await _insert_replies(connection, [_renamed(entry, repeats) for entry in entries], known)
        await _insert_incidents(connection, incidents)
        if self._charging is not None and incidents:
            await self._charging.charge(connection, incidents, numbers)
        return repeats


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


def _settle(entries: Sequence[Entry], stored: dict[ReplyKey, Reply], again: bool) -> Iterator[Written]:
    """Who comes first wins: stored replies before this group, earlier entries before later ones."""
    taken = dict(stored)
    for entry in entries:
        found = (taken.get(_reply_key(reply)) for reply in entry.replies)
        existing = next((reply for reply in found if reply is not None), None)
        if existing is None:
            taken.update((_reply_key(reply), reply) for reply in entry.replies)
            yield WRITTEN
        elif again and existing in entry.replies:
            yield WRITTEN
        else:
            yield Written(existing)


def _told(entry: Entry, written: Written, repeats: dict[str, str]) -> Written:
    """The result with what was found out while writing."""
    earlier = repeats.get(entry.incident.id) if entry.incident is not None and written.existing is None else None
    return written if earlier is None else Written(repeats=earlier)


def _renamed(entry: Entry, repeats: dict[str, str]) -> Entry:
    """The entry whose replies speak of the incident that was counted, instead of one that is not kept."""
    earlier = repeats.get(entry.incident.id) if entry.incident is not None else None
    if entry.incident is None or earlier is None:
        return entry
    # An id is like nothing else in a body, and all ids are equally long.
    own, other = entry.incident.id.encode(), earlier.encode()
    replies = tuple(msgspec.structs.replace(reply, body=reply.body.replace(own, other)) for reply in entry.replies)
    return Entry(None, replies)


async def _insert_replies(connection: AsyncConnection, entries: Sequence[Entry], known: dict[ReplyKey, Reply]) -> None:
    """Inserts all replies but those that are `known`. Raises _Lost when another turns out to be there."""
    replies = [reply for entry in entries for reply in entry.replies if _reply_key(reply) not in known]
    if not replies:
        return
    # In one order everywhere, or two processes could wait for each other's keys.
    replies.sort(key=_reply_key)
    statement = insert_new(schema.replies, connection.dialect).returning(schema.replies.c.reply_key)
    new = await connection.execute(statement, [msgspec.structs.asdict(reply) for reply in replies])
    if len(new.all()) < len(replies):
        raise _Lost


async def _insert_incidents(connection: AsyncConnection, incidents: Sequence[Incident]) -> None:
    if not incidents:
        return
    # An incident that is there already was committed by a first try whose answer was lost.
    rows = [msgspec.structs.asdict(incident) for incident in incidents]
    statement = insert_new(schema.incidents, connection.dialect).returning(schema.incidents.c.id)
    stored = set((await connection.execute(statement, rows)).scalars())
    new = [incident for incident in incidents if incident.id in stored]
    categories = [
        {"incident_id": incident.id, "tenant_id": incident.tenant_id, "category": category}
        for incident in new
        for category in incident.categories
    ]
    if categories:
        await connection.execute(insert_new(schema.incident_categories, connection.dialect), categories)
    await count_incidents(connection, new)


async def _stored_replies(connection: AsyncConnection, entries: Sequence[Entry]) -> dict[ReplyKey, Reply]:
    keys = [_reply_key(reply) for entry in entries for reply in entry.replies]
    columns = schema.replies.c
    query = select(schema.replies).where(tuple_(columns.tenant_id, columns.scope, columns.reply_key).in_(keys))
    found = [Reply(**row._mapping) for row in await connection.execute(query)]
    return {_reply_key(reply): reply for reply in found}
