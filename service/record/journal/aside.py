"""Where records go that cannot be replayed, for a person to look at: nothing is thrown away, nothing holds up the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

Reason = Literal["damaged", "unreadable", "refused", "torn"]
"""damaged: the digest is wrong and records stand behind it; unreadable: written by a version that differs too much;
refused: the database does not want it; torn: the last write of a process that ended in the middle of it, which nobody
was promised."""
Report = Callable[[str, Reason, int], None]
"""Hears of each: name of the file, reason, bytes."""


class Aside:
    """A folder beside the journal. What lies in it stays until somebody removes it."""

    def __init__(self, folder: Path) -> None:
        self.report: Report = lambda name, reason, size: None
        self.counts: Counter[Reason] = Counter()
        """Since this process started."""
        self._folder = folder

    def put(self, name: str, data: bytes, reason: Reason) -> None:
        """Keeps `data`; on a full disk it is only counted and reported."""
        file = f"{re.sub(r'[^0-9A-Za-z-]', '_', name)[:100]}.{reason}"
        self.counts[reason] += 1
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self._folder / file).write_bytes(data)
        self.report(file, reason, len(data))

    def lying(self) -> int:
        """How many lie there that somebody should look at; what was torn off is none of them."""
        return sum(path.suffix != ".torn" for path in self._folder.glob("*.*"))
