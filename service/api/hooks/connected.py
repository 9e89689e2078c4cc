"""The connections of all tenants in the memory of this process, ready to be called: settings read, secrets opened.

They are compared with the store every half second, so a change made by any worker holds everywhere within one. While the
store is out those known last go on working.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from structlog.typing import FilteringBoundLogger

from service.api.hooks.registry import TOOLS
from service.api.hooks.tool import HookSettings, Tool
from service.errors import DataError, Unavailable
from service.record.connections import Connection, read_connections, revisions
from service.record.database import Database
from service.record.sealed import Sealer

LOOK_SECONDS = 0.5
PATIENCE = 2.0
"""Seconds to wait for the store at one look."""


@dataclass(frozen=True, slots=True)
class Connected:
    """One connection as calls need it."""

    connection: Connection
    tool: Tool
    settings: HookSettings
    secret: Any
    """Of the tool's own shape; None where the tool signs nothing."""
    previous_secret: Any
    token: str
    previous_token: str

    def secrets(self, now: datetime) -> tuple[Any, ...]:
        """Those that prove a call at `now`, the present one first."""
        return (self.secret, self.previous_secret) if self._overlaps(now) and self.previous_secret else (self.secret,)

    def tokens(self, now: datetime) -> tuple[str, ...]:
        return (self.token, self.previous_token) if self._overlaps(now) and self.previous_token else (self.token,)

    @property
    def needs_token(self) -> bool:
        return needs_token(self.connection, self.tool, self.settings)

    @property
    def deadline(self) -> float:
        """Seconds."""
        return (self.connection.deadline_ms or self.tool.deadline_ms) / 1000

    def _overlaps(self, now: datetime) -> bool:
        until = self.connection.previous_until
        return until is not None and now < until


def needs_token(connection: Connection, tool: Tool, settings: HookSettings) -> bool:
    """Told so; or a tool that proves nothing tells us what was sent, and nobody may make that up."""
    return settings.require_token or (connection.secret is None and tool.delivery == "after")


def connect(connection: Connection, sealer: Sealer) -> Connected:
    """Raises DataError for what another version or another key has stored."""
    tool = TOOLS.get(connection.provider)
    if tool is None:
        raise DataError(f"this version knows no provider {connection.provider}")
    try:
        settings = msgspec.convert(connection.settings, tool.settings)
        secret = _secret(tool, connection.secret, sealer)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise DataError(f"the connection is not as this version expects it ({type(error).__name__})") from None
    token = sealer.open(connection.token)
    try:
        previous = _secret(tool, connection.previous_secret, sealer)
        previous_token = sealer.open(connection.previous_token) if connection.previous_token else ""
    except DataError:
        # Rotated because the key that sealed it was lost.
        previous, previous_token = None, ""
    return Connected(connection, tool, settings, secret, previous, token, previous_token)


def _secret(tool: Tool, sealed: str | None, sealer: Sealer) -> Any:
    if sealed is None or tool.secret is None:
        return None
    return msgspec.json.decode(sealer.open(sealed), type=tool.secret)


class Connections:
    """`start` before the first call, `close` after the last."""

    def __init__(self, database: Database, sealer: Sealer, log: FilteringBoundLogger) -> None:
        self._database = database
        self._sealer = sealer
        self._log = log
        self._known: dict[str, tuple[int, Connected | None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Reads them all. Raises Unavailable when the store does not answer."""
        await self.look()
        self._task = asyncio.create_task(self._follow(), name="connections")

    async def close(self) -> None:
        tasks = [task for task in (self._task, self._looking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def find(self, connection_id: str) -> Connected | None:
        """The connection when it is there and enabled. One that is not known yet costs a look, which all share.

        Raises Unavailable when the store is out and it was never seen, or when its secret can't be opened.
        """
        if connection_id not in self._known:
            await self.look()
        found = self._known.get(connection_id)
        if found is None:
            return None
        if found[1] is None:
            raise Unavailable("this connection can't be used here; the log says why", retry_after=60)
        return found[1] if found[1].connection.enabled else None

    async def look(self) -> None:
        """Compares with the store now; whoever comes meanwhile waits for the same look, and one that changed something
        should `look_again`. Raises Unavailable.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._looking)

    async def look_again(self) -> None:
        """After a change of ours: a look that began before it does not count. The store being out is no error."""
        with suppress(Unavailable):
            if self._looking is not None and not self._looking.done():
                await self.look()
            await self.look()

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                stored = await revisions(self._database)
                changed = [each for each, number in stored.items() if self._known.get(each, (0, None))[0] != number]
                rows = await read_connections(self._database, changed) if changed else []
        except TimeoutError:
            raise Unavailable("the connections can't be read now; try again", retry_after=1) from None
        for gone in self._known.keys() - stored.keys():
            del self._known[gone]
        for row in rows:
            self._known[row.id] = (row.revision, self._connect(row))

    def _connect(self, row: Connection) -> Connected | None:
        try:
            return connect(row, self._sealer)
        except DataError as error:
            self._log.error("connection_unusable", connection_id=row.id, provider=row.provider, why=error.detail)
            return None

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(Unavailable):
                await self.look()
