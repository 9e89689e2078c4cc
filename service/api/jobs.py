"""Backtests in the background: this process keeps the books, the workbench does the work."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

import msgspec
from uuid_utils import uuid7

from service.clock import Clock
from service.errors import Conflict, ShenyanError, Unavailable
from service.record.database import Database
from service.record.jobs import Job, add_job, save_job
from service.shared_backtest import ALONE
from service.workbench import Source, Workbench, drop_backtest, finish_backtest, prepare_backtest, step_backtest

STEP = 2000
"""Messages between two looks at how far it is: some tenths of a second."""
LOOK_SECONDS = 0.2
MAX_JOBS = 4
"""Of one process at once."""


class Jobs:
    """The jobs that this process has taken on."""

    def __init__(self, database: Database, url: str, workbench: Workbench, clock: Clock) -> None:
        self._database = database
        self._url = url
        self.workbench = workbench
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    async def backtest(
        self, tenant_id: str, key_id: str, name: str, uploaded: bytes | None, source: Source, since: datetime | None
    ) -> Job:
        """Takes a backtest on. Raises Conflict where there are too many."""
        if len(self._tasks) >= MAX_JOBS:
            raise Conflict(f"{MAX_JOBS} jobs are under way here; wait until one is done", code="too_many")
        now = self._clock.now()
        job = Job(
            id=str(uuid7()), tenant_id=tenant_id, kind="backtest", state="queued", done=0, total=0, result=None,
            problem=None, key_id=key_id, created_at=now, seen_at=now, finished_at=None,
        )  # fmt: skip
        await add_job(self._database, job)
        task = asyncio.create_task(self._run(job, name, uploaded, source, since))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    async def close(self) -> None:
        """Gives up what is under way; it is found failed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.workbench.close()

    async def _run(self, job: Job, name: str, uploaded: bytes | None, source: Source, since: datetime | None) -> None:
        bench, today = self.workbench, self._clock.now().date()
        try:
            total = await bench.run(
                prepare_backtest, job.id, self._url, job.tenant_id, name, uploaded, source, since, today
            )
            job = await self._save(job, state="running", total=total)
            while job.done < total:
                if total > ALONE:
                    # It goes on by itself; the workbench is free for others.
                    await asyncio.sleep(LOOK_SECONDS)
                job = await self._save(job, done=await bench.run(step_backtest, job.id, STEP))
            result = await bench.run(finish_backtest, job.id)
            await self._save(job, state="done", result=result, finished_at=self._clock.now())
        except ShenyanError as error:
            await self._fail(job, error.detail)
            with suppress(ShenyanError):
                await bench.run(drop_backtest, job.id)
        except asyncio.CancelledError:
            await self._fail(job, "the service was stopped; start it again")
            raise

    async def _save(self, job: Job, **changes: object) -> Job:
        saved: Job = msgspec.structs.replace(job, seen_at=self._clock.now(), **changes)
        await save_job(self._database, saved)
        return saved

    async def _fail(self, job: Job, problem: str) -> None:
        with suppress(Unavailable):
            await self._save(job, state="failed", problem=problem, finished_at=self._clock.now())
