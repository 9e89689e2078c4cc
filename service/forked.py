"""Work in two processes: the other one is forked off, so it has all that is compiled already, and ends with its share.

Call it in the workbench, where no other thread runs.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_two(work: Callable[[Sequence[T]], list[R]], items: Sequence[T]) -> list[R]:
    """`work(items)`, half of it done beside; what it gives for each half follows each other.

    What the other process can't say, it being dead, is done here.
    """
    middle, context = len(items) // 2, multiprocessing.get_context("fork")
    mine, other = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(work, items[middle:], other), daemon=True)
    process.start()
    other.close()
    try:
        first = work(items[:middle])
        try:
            second: list[R] = mine.recv()
        except (EOFError, OSError):
            second = work(items[middle:])
    finally:
        mine.close()
        process.terminate()
        process.join()
    return [*first, *second]


def _send(work: Callable[[Sequence[T]], list[R]], items: Sequence[T], pipe: Connection) -> None:
    parent, found = os.getppid(), []
    for start in range(0, len(items), 500):
        found += work(items[start : start + 500])
        # Whoever asked may have been killed.
        if os.getppid() != parent:
            return
    pipe.send(found)
