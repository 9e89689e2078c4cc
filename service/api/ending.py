"""Ending in time: parts are closed side by side, each with a bound, for one that hangs must not hold up the others."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any

from structlog.typing import FilteringBoundLogger

LAST_SECONDS = 4.0
"""For closing everything; what still hangs then has nothing left that anybody was promised."""


async def close_within(seconds: float, log: FilteringBoundLogger, **parts: Coroutine[Any, Any, object]) -> None:
    """Closes `parts`, by name, all at once; says which did not end in time or failed."""
    tasks = {asyncio.create_task(part): name for name, part in parts.items()}
    _, late = await asyncio.wait(tasks, timeout=seconds) if tasks else ((), ())
    for task, name in tasks.items():
        if task in late:
            task.cancel()
            log.warning("not_closed", part=name)
        elif not task.cancelled() and (error := task.exception()):
            log.error("close_failed", part=name, exception=type(error).__name__)


def end_process_within(seconds: float = LAST_SECONDS) -> None:
    """Ends this process with success after `seconds` whatever hangs: connections to a server that says nothing can't be
    closed in good order.
    """
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()
