"""A tenant whose words take long to be made ready holds up nobody else, and gets them in the end, the newest last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from service.errors import Unavailable
from tests.api.conftest import Running, message, running

WORD = {"pattern": "蓝鸽号", "category": "contact", "severity": "critical"}


async def publish(service: Running, tenant: str, pattern: str) -> str:
    editor = service.as_key(await service.key("admin", tenant=tenant))
    await editor.post("/v1/lexicons", json={"name": "own"})
    await editor.post("/v1/lexicons/own/terms", json={**WORD, "pattern": pattern})
    version: str = (await editor.post("/v1/lexicons/own/publish", json={})).json()["version"]
    return version


async def until(serves: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not serves():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_others_do_not_wait_for_a_large_tenant(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await publish(service, "large", "蓝鸽一号")
    async with running(service.state["pipeline"].live, service.state["settings"]) as second:
        watch, live = second.state["watch"], second.state["pipeline"].live
        real, released, tries = watch.engines.engine_of, asyncio.Event(), [0]

        async def engine_of(tenant_id: str, *rest: Any) -> Any:
            if tenant_id == "large":
                await released.wait()
                tries[0] += 1
                if tries[0] == 1:
                    raise Unavailable("the database is out for a moment", retry_after=1)
            return await real(tenant_id, *rest)

        monkeypatch.setattr("service.watch.PATIENCE_SECONDS", 0.01)
        monkeypatch.setattr("service.watch.RETRY_SECONDS", 0.01)
        monkeypatch.setattr(watch.engines, "engine_of", engine_of)

        def serves(tenant: str, version: str) -> bool:
            return live.engine_for(tenant).lexicon_version.endswith(version)

        await publish(service, "large", "蓝鸽二号")
        small = await publish(service, "small", "绿鸽号")
        await until(lambda: serves("small", small))
        assert serves("large", first)
        last = await publish(service, "large", "蓝鸽三号")
        await until(lambda: watch._late["large"] is not None and watch.number >= 4)
        released.set()
        await watch.catch_up("large")
        await until(lambda: serves("large", last))
        assert tries[0] >= 2
        reply = await second.client.post("/v1/moderate", json=message())
        assert reply.status_code == 200
