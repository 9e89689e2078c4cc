"""The worker's own pulse, once a second: how late the event loop is, and what has changed for better or worse.

Readings that somebody asks for are gauges of `Figures`; here is what has to be measured over time, and what deserves a
line in the log when it changes.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from service import __version__
from service.api.metrics import Metrics
from service.pipeline import Pipeline
from service.watch import Watch

RED_SECONDS = 10.0
"""How long a failure to store keeps the instance out of rotation; then it gets another chance."""
PULSE_SECONDS = 1.0
STATM = Path("/proc/self/statm")


class Vitals:
    """Measures itself and watches conditions; `start` and `close` inside the event loop."""

    def __init__(self, metrics: Metrics, log: FilteringBoundLogger) -> None:
        self._metrics = metrics
        self._log = log
        self._lag = 0.0
        self._conditions: dict[str, tuple[Callable[[], bool], bool]] = {}
        self._task: asyncio.Task[None] | None = None
        figures = metrics.figures
        figures.gauge("shenyan_workers", "Processes that answer.", lambda: 1)
        figures.gauge("shenyan_loop_lag_seconds", "How late the event loop is.", lambda: self._lag, merge="max")
        figures.gauge("shenyan_process_memory_bytes", "Memory that is really held.", resident_bytes)
        self._cpu = figures.count("shenyan_process_cpu_seconds", "Processor time that was used.")

    def watch(self, name: str, well: Callable[[], bool], text: str) -> None:
        """A condition with a gauge `shenyan_<name>` of 1 or 0, and a line in the log whenever it changes."""
        self._conditions[name] = (well, True)
        self._metrics.figures.gauge(f"shenyan_{name}", text, lambda: float(well()), merge="min")

    def start(self) -> None:
        self._task = asyncio.create_task(self._beat(), name="vitals")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._metrics.put()

    def look(self) -> None:
        """Takes the readings now."""
        self._cpu.values[()] = time.process_time()
        for name, (well, before) in list(self._conditions.items()):
            now = well()
            if now != before:
                self._conditions[name] = (well, now)
                (self._log.info if now else self._log.warning)("recovered" if now else "degraded", what=name)
        self._metrics.put()

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.look()
            before = loop.time()
            await asyncio.sleep(PULSE_SECONDS)
            self._lag = max(0.0, loop.time() - before - PULSE_SECONDS)


def resident_bytes() -> float:
    """Memory of this process that is not swapped out; 0 where the system does not tell."""
    try:
        return int(STATM.read_text().split()[1]) * float(os.sysconf("SC_PAGE_SIZE"))
    except OSError:
        return 0.0


def open_vitals(
    metrics: Metrics, log: FilteringBoundLogger, pipeline: Pipeline, watch: Watch, in_flight: Callable[[], int]
) -> Vitals:
    """The pulse of a whole worker, with the figures that its parts can be asked for."""
    vitals = Vitals(metrics, log)
    figures = metrics.figures
    figures.gauge(
        "shenyan_info",
        "Version of the service and of the shipped lexicon in service.",
        lambda: {(__version__, pipeline.live.engine.lexicon_version): 1.0},
        "version",
        "lexicon",
        merge="max",
    )
    figures.gauge("shenyan_in_flight", "Requests that are being worked on.", in_flight)
    figures.gauge(
        "shenyan_news_number",
        "Number of the last publication that was taken in; equal everywhere once all have followed.",
        lambda: watch.number,
        merge="min",
    )
    vitals.watch(
        "store_well", lambda: pipeline.seconds_since_failure() >= RED_SECONDS, "1: nothing failed to be stored lately."
    )
    return vitals
