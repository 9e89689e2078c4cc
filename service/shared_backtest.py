"""A backtest in two processes, so that it takes half the time on two cores, and whoever started it is free meanwhile.

They are forked off the workbench: the compiled words are there already, and most pages stay shared. They end with it.
"""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from service.backtest import Backtest, Report
from service.errors import Unavailable

PROCESSES = 2
ALONE = 5_000
"""Messages up to which it is not worth it."""
STEP = 200
"""Messages between two looks at whether the one that asked is still there: some hundredths of a second."""


@dataclass(slots=True)
class SharedBacktest:
    """A run of two processes, seen from the one that started them."""

    whole: Backtest
    """Has what was found by those that are done."""
    done: int = 0
    _running: dict[Connection, BaseProcess] = field(default_factory=dict)
    _counts: dict[Connection, int] = field(default_factory=dict)

    def start(self) -> None:
        """Begins. Call it where no other thread runs."""
        context = multiprocessing.get_context("fork")
        for share in self.whole.shares(PROCESSES):
            mine, other = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(share, other, os.getpid()), daemon=True)
            process.start()
            other.close()
            self._running[mine] = process

    def step(self, _: int) -> int:
        """How many messages are done. Does not wait. Raises Unavailable when a process died."""
        try:
            for pipe in list(self._running):
                self._hear(pipe)
        except (EOFError, OSError):
            self.stop()
            raise Unavailable("a process of the backtest died; start it again", retry_after=1) from None
        # All are done when what was found has come, not before.
        self.done = self.whole.done + sum(self._counts.values())
        return min(self.done, len(self.whole.samples) - 1) if self._running else self.done

    def _hear(self, pipe: Connection) -> None:
        while pipe.poll():
            news = pipe.recv()
            if isinstance(news, int):
                self._counts[pipe] = news
                continue
            self.whole.add(news)
            self._counts.pop(pipe, None)
            self._running.pop(pipe).join()
            pipe.close()
            return

    def report(self) -> Report:
        """What has been found so far."""
        return self.whole.report()

    def stop(self) -> None:
        """Ends what still runs."""
        for pipe, process in self._running.items():
            process.terminate()
            process.join()
            pipe.close()
        self._running.clear()


def _run(share: Backtest, pipe: Connection, parent: int) -> None:
    while share.done < len(share.samples):
        if os.getppid() != parent:
            return
        pipe.send(share.step(STEP))
    pipe.send(share.found())
