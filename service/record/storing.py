"""What one group of entries becomes in the database: replies, incidents, charges, all in one transaction.

    entries -> accounts locked -> repeats told apart -> replies, incidents, aliases -> charges

An entry may come a second time: after an answer of the database that got lost, or out of the journal. Then the ids and
keys that are stored already decide, and nothing happens twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from operator import attrgetter
from typing import Literal

import msgspec
from cachetools import LRUCache
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Unavailable
from service.record import schema
from service.record.account import agent_account, shop_account
from service.record.aliases import add_aliases, settled_ids
from service.record.announce import announce_incidents
from service.record.at_once import at_once
from service.record.charging import NOTHING, Charging
from service.record.database import Database, insert_new
from service.record.hourly import count_incidents
from service.record.incident import Incident
from service.record.ledger import Numbers, lock_accounts
from service.record.repeats import count_repeats
from service.record.replies import Reply

ReplyKey = tuple[str, str, str]
"""Tenant, scope, key: what makes a reply one of a kind."""
reply_key = attrgetter("tenant_id", "scope", "reply_key")

RETRY_SECONDS = 1.0
OPENED = 50_000
"""Accounts that one process remembers to be there."""
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
    where: Literal["database", "journal"] = "database"
    """Where it is durable."""
    because: str = ""
    """Why not in the database."""


WRITTEN = Written()


class _Lost(Exception):
    """Another process stored one of the group's replies between our look and our insert."""


class Storing:
    """Without `charging` incidents are stored one by one, and nobody is charged."""

    def __init__(self, database: Database, charging: Charging | None = None) -> None:
        self._database = database
        self._charging = charging
        self._opened: LRUCache[tuple[str, str], None] = LRUCache(OPENED)

    async def store(self, entries: Sequence[Entry], *, again: bool = False) -> list[Written]:
        """Writes `entries` in one transaction; the result stands in their order. Raises Unavailable.

        With `again` the first try may have been committed without our hearing of it, so a stored reply that
        equals the entry's own is its own.
        """
        stored: dict[ReplyKey, Reply] = {}
        for _ in range(MAX_RACES):
            results = list(settle(entries, stored, again))
            accepted = [entry for entry, written in zip(entries, results, strict=True) if written.existing is None]
            try:
                async with self._database.write() as connection:
                    write = partial(self._write_in, entries=accepted, known=stored, again=again)
                    repeats, numbers = await at_once(connection, write)
                self._opened.update(dict.fromkeys(numbers))
                return [_told(entry, written, repeats) for entry, written in zip(entries, results, strict=True)]
            except _Lost:
                # Most groups meet no stored reply, so looking comes only after losing.
                async with self._database.read() as connection:
                    stored = await _stored_replies(connection, entries)
        raise Unavailable("other processes keep storing the same replies; try again", retry_after=RETRY_SECONDS)

    async def replay(self, entries: Sequence[Entry]) -> int:
        """Writes what was answered before, out of the journal; however often, it is stored once. Raises Unavailable.

        Each incident id that was given out stays good: where the same message has an incident already, as another name
        of that one. Returns how many keys turned out to be used for other content; those incidents stand for
        themselves.
        """
        for _ in range(MAX_RACES):
            try:
                async with self._database.write() as connection:
                    return await at_once(connection, partial(self._replay_in, entries=entries))
            except _Lost:
                continue
        raise Unavailable("other processes keep storing the same replies; try again", retry_after=RETRY_SECONDS)

    async def _replay_in(self, connection: AsyncConnection, entries: Sequence[Entry]) -> int:
        stored = await _stored_replies(connection, entries)
        plan = _plan(entries, stored)
        repeats, _ = await self._write_in(connection, plan.entries, stored, again=True)
        aliases = {own: repeats.get(other, other) for own, other in plan.aliases.items()}
        await add_aliases(connection, aliases, [each.incident for each in entries if each.incident])
        return plan.conflicts

    async def _write_in(
        self, connection: AsyncConnection, entries: Sequence[Entry], known: dict[ReplyKey, Reply], *, again: bool
    ) -> tuple[dict[str, str], Numbers]:
        """Writes `entries`; returns which of their incidents are one more attempt at which other, and whose accounts it
        holds.

        With `again` incidents that the store knows are left alone.
        """
        incidents = [entry.incident for entry in entries if entry.incident is not None]
        repeats: dict[str, str] = {}
        settled: dict[str, str] = {}
        numbers: Numbers = {}
        if self._charging is not None and incidents:
            # Accounts before all else, as everybody locks them, so that no two transactions wait for each other.
            agents = [agent_account(each.tenant_id, each.shop_id, each.agent_id) for each in incidents]
            shops = [shop_account(each.tenant_id, each.shop_id) for each in incidents]
            numbers = await lock_accounts(connection, [*agents, *shops], self._opened)
        if again:
            settled = await settled_ids(connection, incidents)
            incidents = [each for each in incidents if each.id not in settled]
        if self._charging is not None and incidents:
            incidents, repeats = await count_repeats(connection, incidents, self._charging.repeat_seconds)
        repeats |= {own: stored for own, stored in settled.items() if own != stored}
        await _insert_replies(connection, [_renamed(entry, repeats) for entry in entries], known)
        new = await _insert_incidents(connection, incidents)
        if repeats:
            await add_aliases(connection, repeats, [entry.incident for entry in entries if entry.incident])
        charged = NOTHING
        if self._charging is not None and new:
            charged = await self._charging.charge(connection, new, numbers)
        await announce_incidents(connection, new, *charged)
        return repeats, numbers


class _Answer(msgspec.Struct):
    """All that is asked of a stored answer here."""

    incident_id: str | None = None


def _incident_of(reply: Reply) -> str | None:
    try:
        return msgspec.json.decode(reply.body, type=_Answer).incident_id
    except msgspec.MsgspecError:
        return None


class _Plan(msgspec.Struct, frozen=True):
    """What of a replayed group is to be written."""

    entries: list[Entry]
    aliases: dict[str, str]
    conflicts: int


def _plan(entries: Sequence[Entry], stored: dict[ReplyKey, Reply]) -> _Plan:
    taken = dict(stored)
    kept: list[Entry] = []
    aliases: dict[str, str] = {}
    conflicts = 0
    for entry in entries:
        existing = next((taken[key] for key in map(reply_key, entry.replies) if key in taken), None)
        if existing is None or existing in entry.replies:
            taken.update((reply_key(reply), reply) for reply in entry.replies)
            kept.append(entry)
            continue
        same = any(reply.fingerprint == existing.fingerprint for reply in entry.replies)
        conflicts += not same
        if entry.incident is None:
            continue
        other = _incident_of(existing) if same else None
        if other is None:
            kept.append(Entry(entry.incident))
        elif other != entry.incident.id:
            aliases[entry.incident.id] = other
    return _Plan(kept, aliases, conflicts)


def settle(entries: Sequence[Entry], stored: dict[ReplyKey, Reply], again: bool) -> Iterator[Written]:
    """Who comes first wins: stored replies before this group, earlier entries before later ones."""
    taken = dict(stored)
    for entry in entries:
        found = (taken.get(reply_key(reply)) for reply in entry.replies)
        existing = next((reply for reply in found if reply is not None), None)
        if existing is None:
            taken.update((reply_key(reply), reply) for reply in entry.replies)
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
    replies = [reply for entry in entries for reply in entry.replies if reply_key(reply) not in known]
    if not replies:
        return
    # In one order everywhere, or two processes could wait for each other's keys.
    replies.sort(key=reply_key)
    new = await connection.execute(
        insert_new(schema.replies, connection.dialect, "reply_key"),
        [msgspec.structs.asdict(reply) for reply in replies],
    )
    if len(new.all()) < len(replies):
        raise _Lost


async def _insert_incidents(connection: AsyncConnection, incidents: Sequence[Incident]) -> list[Incident]:
    """Inserts those that are not there yet, and returns them."""
    if not incidents:
        return []
    # An incident that is there already was committed by a first try whose answer was lost.
    rows = [msgspec.structs.asdict(incident) for incident in incidents]
    stored = set((await connection.execute(insert_new(schema.incidents, connection.dialect, "id"), rows)).scalars())
    new = [incident for incident in incidents if incident.id in stored]
    categories = [
        {"incident_id": incident.id, "tenant_id": incident.tenant_id, "category": category}
        for incident in new
        for category in incident.categories
    ]
    if categories:
        await connection.execute(insert_new(schema.incident_categories, connection.dialect), categories)
    await count_incidents(connection, new)
    return new


async def _stored_replies(connection: AsyncConnection, entries: Sequence[Entry]) -> dict[ReplyKey, Reply]:
    keys = [reply_key(reply) for entry in entries for reply in entry.replies]
    if not keys:
        return {}
    columns = schema.replies.c
    query = select(schema.replies).where(tuple_(columns.tenant_id, columns.scope, columns.reply_key).in_(keys))
    found = [Reply(**row._mapping) for row in await connection.execute(query)]
    return {reply_key(reply): reply for reply in found}
