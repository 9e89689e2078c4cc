"""What became of calls, noted without making them wait: the last ones of each connection, and figures of all."""

from __future__ import annotations

import asyncio
from collections import deque

from service.figures import Figures
from service.record.calls import KEPT, HookCall, add_calls
from service.record.database import Database
from service.record.flushing import Flushing

WRITE_SECONDS = 1.0
MOST_CONNECTIONS = 10_000


class CallJournal(Flushing):
    """Notes calls in memory and writes them every second; a process that is killed loses the last one."""

    def __init__(self, database: Database, figures: Figures) -> None:
        super().__init__(WRITE_SECONDS, "call-journal")
        self._database = database
        self._noted: dict[str, deque[HookCall]] = {}
        self._writing = asyncio.Lock()
        self._calls = figures.count(
            "shenyan_hook_calls", "Calls of chat tools, by what became of them", "provider", "verdict"
        )
        self._ignored = figures.count(
            "shenyan_hook_ignored", "Calls of chat tools that held nothing to check, by why", "provider", "reason"
        )

    def note(self, provider: str, call: HookCall) -> None:
        self._calls.add(provider, call.verdict)
        if call.verdict == "ignored":
            self._ignored.add(provider, call.reason or "nothing to check")
        if call.connection_id in self._noted or len(self._noted) < MOST_CONNECTIONS:
            self._noted.setdefault(call.connection_id, deque(maxlen=KEPT)).append(call)

    async def flush(self) -> None:
        """Writes what was noted so far. Raises Unavailable, and forgets it, when the store is out."""
        async with self._writing:
            noted, self._noted = self._noted, {}
            if noted:
                await add_calls(self._database, [call for calls in noted.values() for call in calls])
