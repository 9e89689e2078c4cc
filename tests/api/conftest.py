"""A running service without a network: the real application, the shipped lexicon, a database of its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from service.api.app import create_app
from service.api.state import State
from service.live import Live
from service.record.keys import Role, create_key
from service.settings import Settings

ADMIN = "test-admin-key"
BLOCKED = "亲，这款是高仿的，质量很好"
CLEAN = "亲，已经为您安排发货了"


@dataclass
class Running:
    """The service while it runs."""

    app: FastAPI
    asgi: Any
    client: httpx.AsyncClient
    state: State

    async def key(self, role: Role, tenant: str = "default", rate_limit: str | None = None) -> str:
        """A new key of that role."""
        made = await create_key(self.state["database"], tenant, role, role, rate_limit, self.state["clock"].now())
        return made[1]

    def as_key(self, plain: str) -> httpx.AsyncClient:
        """A client that uses that key."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.asgi),
            base_url="http://test",
            headers={"Authorization": f"Bearer {plain}"},
        )


def message(text: str = CLEAN, **fields: Any) -> dict[str, Any]:
    """A request body for /v1/moderate."""
    return {"text": text, "platform": "kuaishou", "shop_id": "shop-1", "agent_id": "agent-1", **fields}


@asynccontextmanager
async def running(live: Live, settings: Settings) -> AsyncIterator[Running]:
    """The service, from start to stop."""
    app = create_app(settings, live)
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60) as manager:
        transport = httpx.ASGITransport(manager.app)
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            yield Running(app, manager.app, client, cast(State, manager._state))


@pytest.fixture
def backend() -> str:
    """SQLite, unless a module asks for both."""
    return "sqlite"


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(data_dir=tmp_path, database_url=database_url, admin_key=ADMIN)  # type: ignore[arg-type]


@pytest.fixture
async def service(live: Live, settings: Settings) -> AsyncIterator[Running]:
    """A service for this test alone; its `client` is the admin's."""
    async with running(live, settings) as started:
        yield started


@pytest.fixture
def client(service: Running) -> httpx.AsyncClient:
    return service.client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    live: Live, tmp_path_factory: pytest.TempPathFactory, _migrated_sqlite: Path
) -> AsyncIterator[Running]:
    """A service for all the tests of a module, on SQLite: for tests that leave nothing behind that others see."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copy(_migrated_sqlite, folder / "shenyan.db")
    async with running(live, Settings(data_dir=folder, admin_key=ADMIN)) as started:  # type: ignore[arg-type]
        yield started
