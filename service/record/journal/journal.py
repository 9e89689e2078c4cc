"""The journal of one process: entries that the database could not take, on the local disk until it has them.

    append -> a file, synced, and an index in memory -> take -> (replayed) -> confirm -> the file goes

Files are `<id of the process>-<number>.journal`. A process that ends leaves its files to whoever looks next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
from uuid_utils import uuid7

from service.errors import Unavailable
from service.record.incident import Incident
from service.record.journal.aside import Aside
from service.record.journal.frames import Place, frames, scan, unframe
from service.record.journal.reading import DECODER, find_in_files, moment_of
from service.record.journal.segment import SUFFIX, Segment
from service.record.replies import Reply
from service.record.storing import Entry, ReplyKey, reply_key

T = TypeVar("T")
SEGMENT_BYTES = 8 << 20
APPEND_SECONDS = 1.0
"""How long a group may wait for the disk; then it counts as not writable until the disk has answered."""
RETRY_SECONDS = 1.0
ENCODER = msgspec.msgpack.Encoder()


class Record(NamedTuple):
    """An entry that waits, and where it stands."""

    segment: Segment
    place: Place
    at: datetime
    """When its message was decided."""


class Journal:
    """Only the group writer appends, only the replayer takes and confirms; neither while the other empties the file."""

    def __init__(self, folder: Path, max_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.aside = Aside(folder / "damaged")
        self.waiting_bytes = 0
        self.replayed = 0
        self._folder = folder
        self._max_bytes = max_bytes
        self._segment_bytes = min(segment_bytes, max_bytes)
        self._name = str(uuid7())
        self._number = 0
        self._active: Segment | None = None
        self._records: deque[Record] = deque()
        self._index: dict[ReplyKey, Record] = {}
        self._incidents: dict[str, Record] = {}
        self._unreadable: set[str] = set()
        self._thread = ThreadPoolExecutor(1, "journal")
        self._appending: asyncio.Task[None] | None = None
        self._problem = "not opened yet"

    async def open(self) -> None:
        """Makes the folder and takes the space; where there was a problem, to see if it has gone. What cannot be written
        now is tried again with each append.
        """
        if self._active is None or (self._problem and (self._appending is None or self._appending.done())):
            with suppress(Unavailable):
                await self._in_thread(self._open)
                self._problem = ""

    async def close(self) -> None:
        """Lets its files go. What waits stays for the next process."""
        if self._appending is not None:
            await asyncio.wait({self._appending}, timeout=APPEND_SECONDS)
        for segment in {record.segment for record in self._records}:
            segment.close()
        if self._active is not None and not self._active.waiting:
            with suppress(OSError):
                self._active.remove()
        self._thread.shutdown(wait=False)

    @property
    def waiting(self) -> int:
        """Entries that wait for the database."""
        return len(self._records)

    @property
    def oldest(self) -> datetime | None:
        """When the message of the oldest entry was decided."""
        return self._records[0].at if self._records else None

    @property
    def problem(self) -> str:
        """Why nothing can be appended now; empty when it can."""
        if self._appending is not None and not self._appending.done():
            return self._problem
        if self.waiting_bytes >= self._max_bytes:
            return f"full: {self.waiting_bytes} bytes wait"
        return self._problem

    async def append(self, entries: Sequence[Entry], at: datetime) -> None:
        """Returns when all of them are on the disk. Raises Unavailable when they are not, or not known to be."""
        if self._appending is not None and not self._appending.done():
            raise Unavailable(f"the journal is {self._problem}", retry_after=RETRY_SECONDS)
        data, places = frames(map(ENCODER.encode, entries))
        if self.waiting_bytes + len(data) > self._max_bytes:
            raise Unavailable("the journal is full", retry_after=RETRY_SECONDS)
        # A disk that answers late has it all the same: then the entries are in, though nobody was told.
        self._appending = asyncio.create_task(self._append(entries, at, data, places))
        done, _ = await asyncio.wait({self._appending}, timeout=APPEND_SECONDS)
        if not done:
            # Nobody waits for it any more, and what it came to is in `problem`.
            self._appending.add_done_callback(lambda late: late.cancelled() or late.exception())
            self._problem = f"too slow: a write took more than {APPEND_SECONDS:g} s"
            raise Unavailable("the journal is too slow", retry_after=RETRY_SECONDS)
        self._appending.result()

    def find(self, entries: Iterable[Entry]) -> dict[ReplyKey, Reply]:
        """Of the replies of `entries`, those that wait here under the same key."""
        found: dict[ReplyKey, Reply] = {}
        if not self._index:
            return found
        for key in [reply_key(reply) for entry in entries for reply in entry.replies]:
            record = self._index.get(key)
            entry = self._read(record) if record is not None else None
            if entry is not None:
                found.update((reply_key(reply), reply) for reply in entry.replies if reply_key(reply) == key)
        return found

    def incident(self, tenant_id: str, incident_id: str) -> Incident | None:
        """One that waits here."""
        record = self._incidents.get(incident_id)
        entry = self._read(record) if record is not None else None
        incident = entry.incident if entry is not None else None
        return incident if incident is not None and incident.tenant_id == tenant_id else None

    async def look(self, tenant_id: str, incident_id: str) -> Incident | None:
        """One that waits in the journal of another process on this machine, or has just gone from there."""
        return await asyncio.to_thread(find_in_files, self._others(), tenant_id, incident_id)

    def take(self, limit: int) -> list[tuple[Record, Entry | None]]:
        """The oldest entries, at most `limit`; None for one that cannot be read any more, which is set aside."""
        return [(record, self._read(record)) for record in islice(self._records, limit)]

    async def confirm(self, taken: Sequence[tuple[Record, Entry | None]]) -> None:
        """The database has these, which were taken last; files with nothing else in them go."""
        emptied = []
        for record, entry in taken:
            # An orphan that was adopted since may stand in front.
            self._records.remove(record) if self._records[0] is not record else self._records.popleft()
            self.waiting_bytes -= record.place.end - record.place.start
            record.segment.waiting -= 1
            for reply in entry.replies if entry is not None else ():
                if self._index.get(reply_key(reply)) is record:
                    del self._index[reply_key(reply)]
            if entry is not None and entry.incident is not None:
                self._incidents.pop(entry.incident.id, None)
            if not record.segment.waiting and record.segment is not self._active:
                emptied.append(record.segment)
        self.replayed += len(taken)
        for segment in emptied:
            with suppress(Unavailable):
                await self._in_thread(segment.remove)

    async def empty(self) -> None:
        """Makes the file of this process as good as new, when nothing waits in it."""
        active = self._active
        if active is not None and active.used and not active.waiting and self.problem == "":
            with suppress(Unavailable):
                await self._in_thread(active.empty)

    async def adopt(self) -> int:
        """Takes over the files that ended processes have left; returns how many entries were in them."""
        with suppress(Unavailable):
            adopted = await self._in_thread(self._adopt)
            if adopted:
                self._add(adopted)
                # Oldest first, whoever wrote it; of one process in its order.
                self._records = deque(sorted(self._records, key=lambda record: record.at))
            return len(adopted)
        return 0

    def _read(self, record: Record) -> Entry | None:
        try:
            payload = unframe(record.segment.read_at(*record.place))
            return DECODER.decode(payload) if payload is not None else None
        except (OSError, msgspec.DecodeError):
            return None

    async def _append(self, entries: Sequence[Entry], at: datetime, data: bytes, places: Sequence[Place]) -> None:
        segment, start = await self._in_thread(partial(self._write, data))
        self._problem = ""
        self._add([
            (Record(segment, Place(start + place.start, start + place.end), moment_of(entry, at)), entry)
            for place, entry in zip(places, entries, strict=True)
        ])  # fmt: skip

    def _add(self, records: Iterable[tuple[Record, Entry]]) -> None:
        for record, entry in records:
            self._records.append(record)
            record.segment.waiting += 1
            self.waiting_bytes += record.place.end - record.place.start
            for reply in entry.replies:
                self._index.setdefault(reply_key(reply), record)
            if entry.incident is not None:
                self._incidents[entry.incident.id] = record

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """`work` in the journal's own thread. Raises Unavailable for what the disk says."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:
            self._problem = f"not writable: {error.strerror}"
            raise Unavailable(f"the journal is {self._problem}", retry_after=RETRY_SECONDS) from error

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._active, before = self._next(), self._active
        if before is not None and not before.waiting:
            before.remove()

    def _others(self) -> list[Path]:
        return [path for path in sorted(self._folder.glob(f"*{SUFFIX}")) if not path.name.startswith(self._name)]

    def _next(self) -> Segment:
        self._number += 1
        return Segment.create(self._folder / f"{self._name}-{self._number:06}{SUFFIX}", self._segment_bytes)

    def _write(self, data: bytes) -> tuple[Segment, int]:
        active = self._active
        if active is None or (active.used and active.used + len(data) > active.size):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            active, full = self._next(), active
            self._active = active
            if full is not None and not full.waiting:
                full.remove()
        try:
            return active, active.append(data)
        except OSError:
            # What a disk holds after an error is anybody's guess: nothing more goes behind it.
            self._active = None
            if not active.waiting:
                active.remove()
            raise

    def _adopt(self) -> list[tuple[Record, Entry]]:
        found: list[tuple[Record, Entry]] = []
        for path in self._others():
            segment = Segment.adopt(path)
            if segment is None:
                continue
            try:
                entries = self._entries(segment)
                if not entries:
                    segment.remove()
            except OSError:
                # One that cannot be read now may be the next time; the others are not kept waiting for it.
                segment.close()
                if path.name not in self._unreadable:
                    self._unreadable.add(path.name)
                    self.aside.report(path.name, "unreadable", 0)
                continue
            found += entries
        return found

    def _entries(self, segment: Segment) -> list[tuple[Record, Entry]]:
        """What a file holds; what is none goes aside."""
        data, stem = segment.read(), segment.path.stem
        scanned = scan(data)
        entries = []
        for place, payload in scanned.records:
            try:
                entry = DECODER.decode(payload)
                entries.append((Record(segment, place, moment_of(entry, None)), entry))
            except (msgspec.DecodeError, ValueError):
                self.aside.put(f"{stem}-{place.start}", data[slice(*place)], "unreadable")
        for place in scanned.damaged:
            self.aside.put(f"{stem}-{place.start}", data[slice(*place)], "damaged")
        if scanned.torn is not None:
            self.aside.put(f"{stem}-{scanned.torn.start}", data[slice(*scanned.torn)], "torn")
        return entries
