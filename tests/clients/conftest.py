"""A real server on loopback, in the test's own loop, and what a client needs to ask it."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from service.api.app import create_app
from service.clock import SystemClock
from service.live import Live
from service.record.database import Database
from service.record.incidents import IncidentFilters, list_incidents
from service.record.keys import DEFAULT_TENANT, create_key
from service.settings import Settings

START_SECONDS = 20


@dataclass
class Served:
    """The service at its address."""

    url: str
    other_origin: str
    """The same server by a name of another origin, whose pages may ask."""
    key: str
    """Of role `client`."""
    database: Database

    async def incidents(self, **filters: Any) -> list[Any]:
        """What was recorded, newest first."""
        return (await list_incidents(self.database, DEFAULT_TENANT, IncidentFilters(**filters), limit=100))[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(live: Live, tmp_path_factory: pytest.TempPathFactory, _migrated_sqlite: Path) -> AsyncIterator[Served]:
    """One service for all the tests of a module; each takes an agent of its own."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(_migrated_sqlite, folder / "shenyan.db")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        other = f"http://localhost:{port}"
        app = create_app(Settings(data_dir=folder, cors_origins=other), live)
        server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="on", log_config=None))
        serving = asyncio.create_task(server.serve([listening]))
        async with asyncio.timeout(START_SECONDS):
            while not server.started:
                assert not serving.done(), "the service does not start"
                await asyncio.sleep(0.01)
        database = await Database.open(f"sqlite+aiosqlite:///{folder / 'shenyan.db'}")
        _, key = await create_key(database, DEFAULT_TENANT, "desk", "client", None, SystemClock().now())
        yield Served(f"http://127.0.0.1:{port}", other, key, database)
        await database.close()
        server.should_exit = True
        await serving
