"""Pages of named origins may ask with a key; nobody else's may, and without names nothing is different."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.api.app import create_app
from service.api.cors import Cors
from service.api.gate import Gate
from service.live import Live
from service.settings import Settings
from tests.api.conftest import ADMIN, Running, message, running

DESK = "https://chat.example.com"
ASKS = {"Origin": DESK, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
module = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(live: Live, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A service that two origins may ask."""
    folder = tmp_path_factory.mktemp("cors")
    settings = Settings(data_dir=folder, admin_key=ADMIN, cors_origins=f"{DESK}, http://[::1]:8080")  # type: ignore[arg-type]
    async with running(live, settings) as started:
        yield started


@module
async def test_a_browser_is_told_before_it_asks(opened: Running) -> None:
    response = await opened.client.options("/v1/moderate", headers=ASKS)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["access-control-allow-origin"] == DESK
    assert {"Authorization", "Content-Type", "Idempotency-Key"} <= set(
        response.headers["access-control-allow-headers"].split(", ")
    )
    assert response.headers["access-control-allow-methods"] == "GET, POST"
    assert response.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in response.headers


@module
@pytest.mark.parametrize(
    ("body", "status"), [(message(), 200), ({"text": 1}, 422)], ids=["an answer", "a refusal from before the routes"]
)
async def test_answers_and_refusals_can_be_read(opened: Running, body: object, status: int) -> None:
    response = await opened.client.post("/v1/moderate", json=body, headers={"Origin": DESK})
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (status, DESK)
    assert "Retry-After" in response.headers["access-control-expose-headers"]


@module
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example.com", f"{DESK}.evil.example", f"{DESK}:8443", "http://chat.example.com", "null", ""],
)
async def test_others_are_told_nothing(opened: Running, origin: str) -> None:
    asked = await opened.client.options("/v1/moderate", headers={**ASKS, "Origin": origin})
    answered = await opened.client.post("/v1/moderate", json=message(), headers={"Origin": origin})
    assert (asked.status_code, answered.status_code) == (405, 200)
    for response in (asked, answered):
        assert response.headers["vary"] == "Origin"
        assert not [name for name in response.headers if name.startswith("access-control")]


@module
async def test_only_what_takes_a_key_is_opened(opened: Running) -> None:
    for path in ("/livez", "/metrics", "/docs", "/demo"):
        response = await opened.client.get(path, headers={"Origin": DESK})
        assert "access-control-allow-origin" not in response.headers


def test_without_origins_nothing_stands_in_the_way(tmp_path: Path) -> None:
    assert isinstance(create_app(Settings(data_dir=tmp_path)).build_middleware_stack(), Gate)
    opened = create_app(Settings(data_dir=tmp_path, cors_origins=DESK)).build_middleware_stack()
    assert isinstance(opened, Cors)


async def test_by_default_nobody_is_let_in(shared: Running) -> None:
    response = await shared.client.options("/v1/moderate", headers=ASKS)
    assert response.status_code == 405
    assert not [name for name in response.headers if name.startswith("access-control")]
