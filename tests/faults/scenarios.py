"""Faults, each with a load before, during and after it, and in the end the count of what was promised.

A scenario runs for about `seconds` while the fault lasts; it ends only what it has started itself.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from service.record.database import Database
from service.record.migrate import upgrade
from tests.conftest import outside_loop
from tests.faults.load import Load
from tests.faults.proxy import SlowRoad
from tests.faults.stage import Counted, Service, count
from tests.postgresql import PostgresServer
from tests.record.faults import Kept
from tests.redis_server import RedisServer


@dataclass(frozen=True)
class Report:
    """One line of the table."""

    fault: str
    seconds: float
    load: Load
    counted: Counted
    note: str = ""


Scenario = Callable[["Place", float], Coroutine[Any, Any, Report]]


class Place:
    """Where scenarios take place: a folder and servers that belong to them alone."""

    def __init__(self, folder: Path, postgresql: PostgresServer, redis: RedisServer) -> None:
        self.folder = folder
        self.postgresql = postgresql
        self.redis = redis
        self._number = 0
        self._shared: dict[str, str] | None = None
        self._stage: tuple[Service, str] | None = None

    def database(self) -> str:
        """The name of a new database with its tables."""
        self._number += 1
        name = f"faults_{self._number}"
        self.postgresql.execute(f"CREATE DATABASE {name}")
        outside_loop(upgrade, self.postgresql.url(name))
        return name

    @asynccontextmanager
    async def service(self, url: str, folder: Path | None = None, **settings: str) -> AsyncIterator[Service]:
        """A running service with the load's shop; whatever it is doing, it is ended."""
        self._number += 1
        service = Service(folder or self.folder / f"data-{self._number}", url, settings)
        try:
            await service.start()
            await service.put_shop()
            yield service
        finally:
            service.kill()

    def share(self, **settings: str) -> None:
        """From now on `stage` gives one service with these settings to all, for starting it takes longer than a fault."""
        self._shared = settings

    @asynccontextmanager
    async def stage(self, **settings: str) -> AsyncIterator[tuple[Service, str]]:
        """A running service over a database of its own in PostgreSQL, and the database's address."""
        if self._shared is None:
            url = self.postgresql.url(self.database())
            async with self.service(url, None, **settings) as service:
                yield service, url
            return
        assert settings.items() <= self._shared.items()
        if self._stage is None:
            url = self.postgresql.url(self.database())
            self._stage = Service(self.folder / "shared", url, self._shared), url
        service, url = self._stage
        if not service.is_running:
            await service.start()
            await service.put_shop()
        yield service, url

    def close(self) -> None:
        if self._stage is not None:
            self._stage[0].kill()


async def sleep_under(load: Load, seconds: float, least: int = 20) -> None:
    """For `seconds`, and until `least` more messages were answered."""
    wanted = len(load.milliseconds) + least
    end = monotonic() + seconds
    give_up = end + 30
    while monotonic() < end or len(load.milliseconds) < wanted:
        if monotonic() > give_up:
            raise AssertionError(f"the load stalls: {load.answers}")
        await asyncio.sleep(0.01)


async def database_stopped(place: Place, seconds: float) -> Report:
    """PostgreSQL ends at once under load, and comes back."""
    async with place.stage() as (service, url):
        load = service.load()
        load.start()
        await sleep_under(load, seconds / 2)
        await asyncio.to_thread(place.postgresql.stop)
        try:
            await sleep_under(load, seconds)
        finally:
            await asyncio.to_thread(place.postgresql.start)
        await sleep_under(load, seconds / 2)
        await load.stop()
        await service.wait_ready(store="reachable", waiting=0)
        return Report("database stopped", seconds, load, await count(url, load))


async def database_frozen(place: Place, seconds: float) -> Report:
    """PostgreSQL keeps its connections and says nothing, under load."""
    name = place.database()
    async with place.service(place.postgresql.url(name), SHENYAN_RECORD_TIMEOUT="0.3") as service:
        load = service.load()
        load.start()
        await sleep_under(load, seconds / 2)
        place.postgresql.freeze()
        try:
            await sleep_under(load, seconds)
        finally:
            place.postgresql.thaw()
        await sleep_under(load, seconds / 2)
        await load.stop()
        await service.wait_ready(store="reachable", waiting=0)
        return Report("database frozen", seconds, load, await count(place.postgresql.url(name), load))


async def database_slow(place: Place, seconds: float) -> Report:
    """Every answer of PostgreSQL takes 0.2 s more, under load."""
    name = place.database()
    road = SlowRoad(place.folder / f"road-{name}", place.postgresql.folder)
    async with road.open(), place.service(road.url(name), SHENYAN_RECORD_TIMEOUT="0.3") as service:
        load = service.load()
        load.start()
        await sleep_under(load, seconds / 2)
        road.delay = 0.2
        await sleep_under(load, seconds)
        road.delay = 0.0
        await sleep_under(load, seconds / 2)
        await load.stop()
        await service.wait_ready(store="reachable", waiting=0)
        return Report("database slow", seconds, load, await count(place.postgresql.url(name), load))


async def killed(place: Place, seconds: float) -> Report:
    """`kill -9` of the service under load, again and again; in between with the database away."""
    url = place.postgresql.url(place.database())
    async with place.service(url) as service:
        load = service.load()
        load.start()
        end = monotonic() + seconds
        kills = 0
        while True:
            await sleep_under(load, 0.2)
            if kills % 2:
                service.kill()
            else:
                await asyncio.to_thread(place.postgresql.stop)
                await sleep_under(load, 0.2)
                service.kill()
                await asyncio.to_thread(place.postgresql.start)
            kills += 1
            if not seconds:
                await load.stop()
                await replay_left(service, url)
                break
            await service.start()
            if monotonic() > end:
                await sleep_under(load, 0.2)
                await load.stop()
                await service.wait_ready(store="reachable", waiting=0)
                break
        return Report("kill -9", seconds, load, await count(url, load), f"{kills} kills")


async def terminated(place: Place, seconds: float) -> Report:
    """SIGTERM under load, with the database there and with it frozen."""
    async with place.stage(SHENYAN_RECORD_TIMEOUT="0.3") as (service, url):
        load = service.load()
        load.start()
        await sleep_under(load, seconds / 2)
        ends = []
        if seconds:
            ends.append(await service.stop())
            await service.start()
            await sleep_under(load, seconds / 2)
        place.postgresql.freeze()
        try:
            await sleep_under(load, 0.2)
            ends.append(await service.stop())
        finally:
            place.postgresql.thaw()
        if seconds:
            await service.start()
            await load.stop()
            await service.wait_ready(store="reachable", waiting=0)
        else:
            await load.stop()
            await replay_left(service, url)
        for code, took in ends:
            if code != 0 or took > 10:
                raise AssertionError(f"exit code {code} after {took:.1f} s\n{service.log()[-2000:]}")
        note = " and ".join(f"{took:.1f} s" for _, took in ends)
        return Report("SIGTERM", seconds, load, await count(url, load), note)


async def disk_full(place: Place, seconds: float) -> Report:
    """The disk of the SQLite file and of the journal fills up: first the journal has space left, then nothing has."""
    folder = place.folder / "small-disk"
    with small_disk(folder, 64 << 20):
        url = f"sqlite+aiosqlite:///{folder / 'data' / 'shenyan.db'}"
        async with place.service(url, folder / "data") as service:
            load = service.load()
            load.start()
            await sleep_under(load, seconds / 2)
            fill(folder / "ballast")
            await sleep_under(load, seconds)
            await load.stop()
            (folder / "ballast").unlink()
            load.start()
            await sleep_under(load, seconds / 2)
            await load.stop()
            await service.wait_ready(store="reachable", waiting=0)
            return Report("disk full", seconds, load, await count(url, load))


async def nothing_writable(place: Place, seconds: float) -> Report:
    """The database is away and the journal's disk is full: fail actions decide, and `/readyz` is red."""
    name = place.database()
    folder = place.folder / "no-disk"
    with small_disk(folder, 24 << 20):
        async with place.service(
            place.postgresql.url(name), folder / "data", SHENYAN_JOURNAL_BYTES=str(1 << 20)
        ) as service:
            load = service.load()
            load.start()
            await sleep_under(load, seconds / 2)
            await asyncio.to_thread(place.postgresql.stop)
            fill(folder / "ballast")
            try:
                while "block none" not in load.answers:
                    await sleep_under(load, 0.1)
                await sleep_under(load, seconds)
                red = await service.ready()
            finally:
                await asyncio.to_thread(place.postgresql.start)
            (folder / "ballast").unlink()
            await load.stop()
            if red[0] != 503 or red[1]["code"] != "not_ready":
                raise AssertionError(f"/readyz said {red}")
            load.start()
            await sleep_under(load, seconds / 2)
            await load.stop()
            if seconds:
                # It says for ten seconds that something was not stored; the short form goes by what it has stored since.
                await service.wait_ready(store="reachable", waiting=0)
            counted = await count(place.postgresql.url(name), load)
            return Report("nothing writable", seconds, load, counted, "/readyz red")


async def overload(place: Place, seconds: float) -> Report:
    """Four times as many connections as there may be requests inside, for all the time."""
    async with place.stage(SHENYAN_MAX_IN_FLIGHT="16") as (service, url):
        load = service.load(64)
        load.start()
        await sleep_under(load, seconds / 4)
        assert service.process is not None
        before = resident_mebibytes(service.process.pid)
        await sleep_under(load, seconds)
        after = resident_mebibytes(service.process.pid)
        await load.stop()
        if load.without_retry_after or not load.answers["503"]:
            raise AssertionError(f"{load.answers}, without Retry-After: {load.without_retry_after}")
        if after > before * 1.25 + 16:
            raise AssertionError(f"memory grew from {before:.0f} to {after:.0f} MiB")
        refused = load.answers["503"]
        calm = service.load(4)
        calm.start()
        await sleep_under(calm, 0.2)
        await calm.stop()
        if calm.answers["503"]:
            raise AssertionError(f"it did not recover: {calm.answers}")
        counted = await count(url, load)
        return Report("4x overload", seconds, load, counted, f"{refused} refused, {before:.0f} to {after:.0f} MiB")


async def redis_gone(place: Place, seconds: float) -> Report:
    """Redis ends under load, and comes back."""
    async with place.stage(SHENYAN_REDIS_URL=place.redis.url) as (service, url):
        load = service.load()
        load.start()
        await sleep_under(load, seconds / 2)
        await asyncio.to_thread(place.redis.stop)
        try:
            await sleep_under(load, seconds)
        finally:
            await asyncio.to_thread(place.redis.start)
        await sleep_under(load, seconds / 2)
        await load.stop()
        if not load.degraded["conversation: redis not reachable"]:
            raise AssertionError(f"no answer says that Redis was away: {load.degraded}")
        return Report("Redis gone", seconds, load, await count(url, load))


SCENARIOS: tuple[Scenario, ...] = (
    database_stopped,
    database_frozen,
    database_slow,
    killed,
    terminated,
    disk_full,
    nothing_writable,
    overload,
    redis_gone,
)


async def replay_left(service: Service, url: str) -> None:
    """Brings what the process has left in its journal into the database, as the next one would; that takes longer to
    start.
    """
    database = await Database.open(url)
    async with Kept(database, service.folder / "journal") as kept:
        await kept.caught_up()
    await database.close()


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A file system of `size` bytes in memory, mounted at `folder`. Raises PermissionError where that is not allowed."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        raise PermissionError("no file system can be mounted here; that needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file: Path) -> None:
    """Takes all the space that is left."""
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(1 << 16))
    with suppress(OSError), file.open("ab", buffering=0) as ballast:
        while True:
            ballast.write(b"\1")


def resident_mebibytes(process: int) -> float:
    """Memory that a process really holds."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096 / (1 << 20)
