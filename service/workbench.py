"""A process beside a worker for what takes long: it has an engine of its own and reads the database by itself, so that
whoever waits for a decision does not wait for it.

It is started when it is first needed, and gives way to everything else on the machine.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

import msgspec

from service.backtest import MAX_MESSAGES, Backtest, Sample
from service.bundles import Bundles
from service.draft import Read, read_draft
from service.engine import Engine
from service.errors import BadRequest, Malformed, Problem, Unavailable
from service.lexicon.overlay import Layer, Overlay, lay_over
from service.live import Live, changed_rules, load_live
from service.record.database import Database
from service.record.incidents import IncidentFilters, list_incidents
from service.record.samples import newest_samples
from service.record.versions import layer_of
from service.shared_backtest import ALONE, SharedBacktest

P = ParamSpec("P")
R = TypeVar("R")
Source = Literal["incidents", "sample"]
"""Recorded messages: those that were warned or blocked, or samples of those that were allowed."""
NICE = 10
BUNDLES = "bundles"
"""The folder of compiled words, in the cache folder."""
PAGE = 200


class Workbench:
    """The way to that process. `folder` and `cache` as for `load_live`."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self._arguments = (folder, cache)
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls a function there, by the name of its module. Raises what it raises; Unavailable when the process died."""
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, context, _begin, self._arguments)
        try:
            return await asyncio.wrap_future(self._pool.submit(function, *args, **kwargs))
        except BrokenProcessPool:
            self.close()
            raise Unavailable("the process for long work died; try again", retry_after=1) from None

    def close(self) -> None:
        """Stops it, whatever it is at."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in list((self._pool._processes or {}).values()):
                process.terminate()
            self._pool = None


# What follows runs there. It is a process for this alone, so what it keeps between two calls is kept in the module.
_live: list[Live] = []
_bundles: list[Bundles] = []
_packed: dict[str, dict[str, bytes]] = {}
"""The last words that were compiled, by the bundle's key."""
_running: dict[str, Backtest | SharedBacktest] = {}


def _begin(folder: Path, cache: Path) -> None:
    with suppress(OSError):
        os.nice(NICE)
    _live.append(load_live(folder, cache))
    _bundles.append(Bundles(cache / BUNDLES))
    # What lives as long as the process need not be walked through again and again.
    gc.freeze()


def my_live() -> Live:
    """The engine of this process."""
    return _live[0]


def my_bundles() -> Bundles:
    """Where this process writes what it compiled."""
    return _bundles[0]


def compile_beside(live: Live, overlay: Overlay) -> Engine:
    """The engine of some words, read as they would be stored: what is proved is what will decide."""
    if not overlay.version:
        return live.engine
    return live.engine.open({name: memoryview(data) for name, data in compile_words(live, overlay).items()}, {})


def compile_words(live: Live, overlay: Overlay) -> dict[str, bytes]:
    key = live.key_of(overlay.version)
    if key not in _packed:
        while len(_packed) >= 2:
            _packed.pop(next(iter(_packed)))
        _packed[key] = live.engine.pack(overlay)
    return _packed[key]


def prepare_backtest(
    job_id: str,
    url: str,
    tenant_id: str,
    name: str,
    uploaded: bytes | None,
    source: Source,
    since: datetime | None,
    today: date,
) -> int:
    """Makes a backtest ready and returns the number of its messages. Raises NotFound, Malformed, DataError.

    `uploaded` is a body with `messages`; without it what `source` has since `since` is taken, newest first.
    """
    read, samples = asyncio.run(_read(url, tenant_id, name, uploaded, source, since))
    backtest = make_backtest(_live[0], read, samples, today)
    if len(samples) <= ALONE:
        _running[job_id] = backtest
    else:
        _running[job_id] = shared = SharedBacktest(backtest)
        shared.start()
    return len(samples)


def step_backtest(job_id: str, count: int) -> int:
    """Tries the next `count` messages; returns how many are done."""
    return _running[job_id].step(count)


def finish_backtest(job_id: str) -> bytes:
    """The report, as JSON; the backtest is forgotten."""
    return msgspec.json.encode(_running.pop(job_id).report())


def drop_backtest(job_id: str) -> None:
    """Forgets one that nobody wants any more."""
    dropped = _running.pop(job_id, None)
    if isinstance(dropped, SharedBacktest):
        dropped.stop()


def make_backtest(live: Live, read: Read, samples: list[Sample], today: date) -> Backtest:
    """The tenant's engine as it is, and as it would be with the draft. Raises DataError."""
    changes = {platform: (each.change, each.revision) for platform, each in read.policies.items()}
    rules, others = changed_rules(live.shipped, changes), [layer_of(*each) for each in read.others]

    def with_words(layers: list[Layer]) -> Engine:
        engine = compile_beside(live, lay_over(layers))
        return replace(engine, platforms={**engine.platforms, **rules})

    present = with_words([*others, *(layer_of(*each) for each in read.present)])
    return Backtest(present, with_words([*others, read.draft]), read.draft.version, samples, today)


class Uploaded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Messages of one's own."""

    messages: Annotated[list[Sample], msgspec.Meta(min_length=1, max_length=MAX_MESSAGES)]
    source: None = None
    since: Any = None


def read_samples(uploaded: bytes) -> int:
    """The number of messages in a body. Raises BadRequest for no JSON, Malformed for anything but a list of messages."""
    return len(samples_of(uploaded))


def samples_of(uploaded: bytes) -> list[Sample]:
    try:
        return msgspec.json.decode(uploaded, type=Uploaded).messages
    except msgspec.ValidationError as error:
        detail, _, place = str(error).partition(" - at `$")
        pointer = place.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
        raise Malformed("The body is not of the documented shape.", problems=[Problem(pointer, detail)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("The body is not JSON, or it is cut off.") from None


async def _read(
    url: str, tenant_id: str, name: str, uploaded: bytes | None, source: Source, since: datetime | None
) -> tuple[Read, list[Sample]]:
    database = await Database.open(url)
    try:
        read = await read_draft(database, tenant_id, name)
        if uploaded is not None:
            return read, samples_of(uploaded)
        if source == "sample":
            kept = await newest_samples(database, tenant_id, since, MAX_MESSAGES)
            return read, [Sample(each.text, each.platform, each.channel) for each in kept]
        samples: list[Sample] = []
        cursor, filters = None, IncidentFilters(since=since)
        while len(samples) < MAX_MESSAGES:
            found, cursor = await list_incidents(database, tenant_id, filters, limit=PAGE, cursor=cursor)
            samples += [Sample(each.text, each.platform, each.channel) for each in found]
            if cursor is None:
                break
        return read, samples
    finally:
        await database.close()
