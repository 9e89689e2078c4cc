"""The journal of a process: what it acknowledged is there after any end, and goes once it is confirmed."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from service.errors import Unavailable
from service.record.journal import journal as module
from service.record.journal.journal import Journal
from service.record.journal.segment import Segment
from service.record.storing import Entry
from tests.record.factories import NOW, make_incident, make_reply, start_script

MEBIBYTE = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
async def journal(folder: Path) -> AsyncIterator[Journal]:
    journal = Journal(folder, 64 * MEBIBYTE, MEBIBYTE)
    await journal.open()
    yield journal
    await journal.close()


def entries(count: int) -> list[Entry]:
    made = []
    for number in range(count):
        incident = make_incident(created_at=NOW + timedelta(seconds=number))
        made.append(Entry(incident, (make_reply(incident.id),)))
    return made


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def taken(journal: Journal) -> list[Entry | None]:
    return [entry for _, entry in journal.take(10_000)]


async def test_what_is_appended_is_taken_in_order_and_goes_when_confirmed(journal: Journal, folder: Path) -> None:
    some = entries(5)
    await journal.append(some[:2], NOW)
    await journal.append(some[2:], NOW)
    assert taken(journal) == some
    assert (journal.waiting, journal.oldest) == (5, NOW)
    assert journal.find([Entry(None, (make_reply(some[3].replies[0].reply_key),))]).popitem()[1] == some[3].replies[0]
    await journal.confirm(journal.take(3))
    assert taken(journal) == some[3:]
    assert journal.find(some[:3]) == {}
    await journal.confirm(journal.take(10))
    assert (journal.waiting, journal.waiting_bytes, journal.oldest) == (0, 0, None)
    await journal.empty()
    file = folder / files(folder)[0]
    assert not file.read_bytes().strip(b"\0")
    assert file.stat().st_mode & 0o777 == 0o600


async def test_files_are_bounded_and_full_ones_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(folder, 64 * MEBIBYTE, 4096)
    await journal.open()
    some = entries(40)
    for entry in some:
        await journal.append([entry], NOW)
    many = len(files(folder))
    assert many > 5
    assert taken(journal) == some
    await journal.confirm(journal.take(20))
    assert 1 < len(files(folder)) < many
    await journal.confirm(journal.take(20))
    assert len(files(folder)) == 1
    await journal.close()
    assert files(folder) == []


async def test_what_an_ended_process_left_is_adopted_by_one_other_oldest_first(folder: Path) -> None:
    some = entries(6)
    first, second = Journal(folder, 64 * MEBIBYTE, 4096), Journal(folder, 64 * MEBIBYTE, MEBIBYTE)
    await first.open()
    await second.open()
    await first.append(some[:2], NOW)
    await first.append(some[4:], NOW)
    await second.append(some[2:4], NOW)
    assert await second.adopt() == 0  # the other one is alive
    await first.close()
    third = Journal(folder, 64 * MEBIBYTE, MEBIBYTE)
    assert (await second.adopt(), await third.adopt()) == (4, 0)
    assert taken(second) == some
    assert len(second.find(some)) == 6
    await second.confirm(second.take(6))
    await second.close()
    await third.close()
    assert files(folder) == []


WRITER = """
import asyncio, sys
from datetime import datetime, UTC
from pathlib import Path
from service.record.journal.journal import Journal
from service.record.storing import Entry
from tests.record.factories import make_incident

async def main():
    journal = Journal(Path(sys.argv[1]), 1 << 30, 1 << 16)
    await journal.open()
    while True:
        group = [make_incident() for _ in range(5)]
        await journal.append([Entry(each) for each in group], datetime.now(UTC))
        sys.stdout.write("".join(each.id + "\\n" for each in group))
        sys.stdout.flush()

asyncio.run(main())
"""


async def test_kill_loses_nothing_that_was_acknowledged(folder: Path) -> None:
    with start_script(WRITER, str(folder)) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(400)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.stdout.readlines()
    ids = [line.strip() for line in acknowledged if line.endswith("\n")]
    journal = Journal(folder, 64 * MEBIBYTE)
    await journal.adopt()
    found = [entry.incident.id for entry in taken(journal) if entry and entry.incident]
    assert found[: len(ids)] == ids
    await journal.confirm(journal.take(100_000))
    await journal.close()
    assert files(folder) == []


async def test_a_damaged_record_is_set_aside_and_the_rest_is_there(folder: Path) -> None:
    journal = Journal(folder, 64 * MEBIBYTE, MEBIBYTE)
    await journal.open()
    some = entries(3)
    await journal.append(some, NOW)
    await journal.close()
    file = folder / files(folder)[0]
    data = bytearray(file.read_bytes())
    data[data.index(some[1].replies[0].reply_key.encode())] ^= 1
    end = len(data.rstrip(b"\0"))
    data[end : end + 30] = b"SYJ\x01\xff" + bytes(24) + b"x"
    file.write_bytes(data)
    second = Journal(folder, 64 * MEBIBYTE, MEBIBYTE)
    reports: list[tuple[str, str, int]] = []
    second.aside.report = lambda *report: reports.append(report)
    assert await second.adopt() == 2
    assert taken(second) == [some[0], some[2]]
    assert [reason for _, reason, _ in reports] == ["damaged", "torn"]
    assert some[1].incident is not None
    assert some[1].incident.id.encode() in (folder / "damaged" / reports[0][0]).read_bytes()
    assert second.aside.lying() == 1
    await second.close()


async def test_a_full_journal_refuses_and_takes_again(folder: Path) -> None:
    journal = Journal(folder, 20_000, 10_000)
    await journal.open()
    for entry in entries(60):
        with suppress(Unavailable):
            await journal.append([entry], NOW)
    with pytest.raises(Unavailable, match="full"):
        await journal.append(entries(1), NOW)
    assert 5 < journal.waiting < 60
    assert taken(journal)[0] is not None
    await journal.confirm(journal.take(5))
    await journal.append(entries(1), NOW)
    await journal.close()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """As on a full disk: no file of this process may grow beyond that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


async def test_a_disk_that_takes_no_more_is_told_and_tried_again(folder: Path) -> None:
    journal = Journal(folder, 64 * MEBIBYTE, MEBIBYTE)
    with largest_file(4096):
        await journal.open()
        assert journal.problem.startswith("not writable")
        with pytest.raises(Unavailable, match="not writable"):
            await journal.append(entries(1), NOW)
        assert files(folder) == []
    some = entries(2)
    await journal.append(some, NOW)
    assert (journal.problem, taken(journal)) == ("", some)
    with largest_file(4096):
        # The space was taken beforehand, but this is more than fits into it.
        big = [Entry(make_incident(text="长" * 400_000))]
        with pytest.raises(Unavailable, match="not writable"):
            await journal.append(big, NOW)
        assert taken(journal) == some
    await journal.append(big, NOW)
    assert taken(journal) == some + big
    await journal.close()


async def test_a_file_that_cannot_be_read_keeps_no_other_waiting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for some in (entries(1), entries(2)):
        journal = Journal(folder, 64 * MEBIBYTE, MEBIBYTE)
        await journal.open()
        await journal.append(some, NOW)
        await journal.close()
    bad, _ = files(folder)
    read = Segment.read

    def broken(segment: Segment) -> bytes:
        if segment.path.name == bad:
            raise OSError(5, "Input/output error")
        return read(segment)

    journal = Journal(folder, 64 * MEBIBYTE, MEBIBYTE)
    reports: list[tuple[str, str, int]] = []
    journal.aside.report = lambda *report: reports.append(report)
    with monkeypatch.context() as patched:
        patched.setattr(Segment, "read", broken)
        assert (await journal.adopt(), await journal.adopt()) == (2, 0)
    assert reports == [(bad, "unreadable", 0)]
    assert await journal.adopt() == 1
    assert journal.waiting == 3
    await journal.close()


async def test_a_problem_that_has_gone_is_found_out_without_an_append(folder: Path) -> None:
    journal = Journal(folder, 64 * MEBIBYTE, 4096)
    await journal.open()
    await journal.append(entries(1), NOW)
    with largest_file(2048), pytest.raises(Unavailable, match="not writable"):
        await journal.append(entries(4), NOW)
    assert journal.problem
    await journal.open()
    assert journal.problem == ""
    await journal.confirm(journal.take(1))
    assert len(files(folder)) == 1
    await journal.close()


async def test_a_slow_disk_is_waited_for_once(journal: Journal, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    read_end, write_end = os.pipe()
    append = Segment.append

    def slow(segment: Segment, data: bytes) -> int:
        os.read(read_end, 1)
        return append(segment, data)

    monkeypatch.setattr(Segment, "append", slow)
    monkeypatch.setattr(module, "APPEND_SECONDS", 0.05)
    some = entries(1)
    with pytest.raises(Unavailable, match="too slow"):
        await journal.append(some, NOW)
    with pytest.raises(Unavailable, match="too slow"):
        await asyncio.wait_for(journal.append(entries(1), NOW), 0.04)
    assert journal.problem.startswith("too slow")
    os.write(write_end, b"x" * 9)
    assert journal._appending is not None
    await journal._appending
    assert (journal.problem, taken(journal)) == ("", some)  # late, and there all the same
    await journal.append(entries(1), NOW)
    assert journal.waiting == 2
