"""A ladder on recorded history: what it says is what the books would have said; nothing is stored, nothing breaks it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.api.routes import ladders
from service.clock import FixedClock
from service.penalise.simulate import simulate as told
from tests.api.conftest import Running
from tests.api.test_month import get, in_march, insult, put_shop, review

__all__ = ["in_march"]

DRAFT: dict[str, Any] = {
    "scheme": "strict",
    "name": {"zh-CN": "严格", "en": "strict"},
    "by": "shop",
    "editions": [
        {
            "id": "draft",
            "source": "a proposal",
            "valid_from": "2026-01-01",
            "full": 12,
            "rules": [{"id": "any", "points": 3}],
            "consequences": [{"id": "talk", "name": {"zh-CN": "约谈", "en": "a talk"}, "lasts": "days", "days": 2}],
            "thresholds": [{"at_most": 6, "consequence": "talk"}],
        }
    ],
}
EDITION = DRAFT["editions"][0]


async def simulate(client: httpx.AsyncClient, ladder: Any = "ten_point", **fields: Any) -> dict[str, Any]:
    response = await client.post("/v1/ladders/simulate", json={"ladder": ladder, **fields})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_what_would_have_been_is_what_is(in_march: Running, client: httpx.AsyncClient) -> None:
    clock = FixedClock(datetime(2026, 3, 2, tzinfo=UTC))
    in_march.state["clock"].now = clock.now  # type: ignore[method-assign]
    await put_shop(client, "generic", "ten_point")
    made = []
    for day in range(2, 7):
        made.append(await insult(client, day=day))
        clock.advance(24 * 3600)
    await insult(client, day=2, agent_id="agent-2")
    simulated = await simulate(client)
    real = (await get(client, "/v1/sanctions"))["items"][::-1]
    alike = (
        "shop_id",
        "agent_id",
        "scheme",
        "consequence",
        "name",
        "day",
        "created_at",
        "starts_at",
        "ends_at",
        "phase",
    )
    assert [[each[name] for name in alike] for each in simulated["sanctions"]] == [
        [each[name] for name in alike] for each in real
    ]
    assert [each["incident_id"] for each in simulated["sanctions"]] == [made[2], made[4]]
    assert (simulated["incidents"], simulated["charged"], simulated["accounts"]) == (6, 6, 2)
    assert simulated["histogram"] == [
        {"period": "2026-03", "bars": [{"value": 0, "accounts": 1}, {"value": 9, "accounts": 1}]}
    ]
    await review(client, made[2], "overturned")
    assert [each["incident_id"] for each in (await simulate(client))["sanctions"]] == [made[3]]
    # Nobody upheld any, and `kpi` waits for that.
    assert (await simulate(client, "kpi"))["charged"] == 0
    assert (await simulate(client, "kpi", every=True))["charged"] == 5
    await review(client, made[0], "reduced", severity="low")
    kpi = await simulate(client, "kpi")
    assert [bar["value"] for bar in kpi["histogram"][0]["bars"]] == [95]
    assert (await simulate(client, agent_id="agent-2"))["accounts"] == 1
    assert (await simulate(client, shop_id="nowhere"))["incidents"] == 0
    assert (await simulate(client, "taobao"))["charged"] == 0
    until = (clock.now() - timedelta(days=4, hours=12)).isoformat()
    assert (await simulate(client, until=until))["incidents"] == 1


async def test_a_ladder_that_is_sent_along(in_march: Running, client: httpx.AsyncClient) -> None:
    for day in (2, 3, 4):
        await insult(client, day=day)
    found = await simulate(client, DRAFT)
    assert [(each["scheme"], each["consequence"], each["name"]) for each in found["sanctions"]] == [
        ("strict", "talk", "约谈")
    ]
    assert found["histogram"] == [{"period": "2026-03", "bars": [{"value": 3, "accounts": 1}]}]
    rolling = {**DRAFT, "editions": [{**EDITION, "window": "days", "days": 2}]}
    assert (await simulate(client, rolling))["histogram"][0]["period"] == "days"
    assert (await get(client, "/v1/sanctions"))["items"] == [
        each for each in (await get(client, "/v1/sanctions"))["items"] if each["scheme"] != "strict"
    ]


@pytest.mark.parametrize(
    ("ladder", "status"),
    [
        ("no_such", 404),
        ("", 422),
        ({}, 422),
        ([], 422),
        ({**DRAFT, "more": 1}, 422),
        ({**DRAFT, "editions": []}, 422),
        ({**DRAFT, "accounts": []}, 422),
        ({**DRAFT, "by": "platform"}, 422),
        ({**DRAFT, "editions": [{**EDITION, "thresholds": [{"consequence": "talk"}]}]}, 422),
        ({**DRAFT, "editions": [{**EDITION, "thresholds": [{"at_least": 1, "consequence": "nothing"}]}]}, 422),
        ({**DRAFT, "editions": [{**EDITION, "window": "days", "days": 10**9}]}, 422),
        ({**DRAFT, "editions": [{**EDITION, "rules": [{"id": "any", "points": 10**30}]}]}, 422),
        (
            {
                **DRAFT,
                "editions": [{**EDITION, "thresholds": [{"at_most": 1, "consequence": "talk", "in_a_row": 10**6}]}],
            },
            422,
        ),
        ({**DRAFT, "editions": [{**EDITION, "rules": [{"id": f"r{n}"} for n in range(300)]}]}, 422),
        ({**DRAFT, "editions": [{**EDITION, "valid_from": "0001-01-01"}]}, 200),
        (
            {
                **DRAFT,
                "editions": [
                    {
                        **EDITION, "window": "days", "days": 3660,
                        "thresholds": [{"at_least": 1, "consequence": "talk", "in_a_row": 60}],
                        "consequences": [{**EDITION["consequences"][0], "days": 3660, "delay_hours": 100_000}],
                    }
                ],
            },
            200,
        ),
    ],
)  # fmt: skip
async def test_ladders_that_make_no_sense(
    in_march: Running, client: httpx.AsyncClient, ladder: Any, status: int
) -> None:
    await insult(client)
    response = await client.post("/v1/ladders/simulate", json={"ladder": ladder, "every": True})
    assert response.status_code == status, response.text


async def test_history_is_bounded(
    in_march: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladders, "MAX_INCIDENTS", 3)
    monkeypatch.setattr(ladders, "MAX_SHOWN", 1)
    monkeypatch.setattr(ladders, "PAGE", 2)
    for day in (2, 3, 4):
        await insult(client, "kuaishou", day)
    found = await simulate(client, "kuaishou")
    assert (found["incidents"], found["sanctions_total"], len(found["sanctions"])) == (3, 3, 1)
    await insult(client, "kuaishou", 5)
    response = await client.post("/v1/ladders/simulate", json={"ladder": "kuaishou"})
    assert (response.status_code, "over 3 incidents" in response.json()["detail"]) == (422, True)


async def test_messages_are_decided_meanwhile(
    in_march: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulation does not return before another message was answered."""
    answered = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(*args: Any, **kwargs: Any) -> Any:
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(answered.wait(), 10), loop).result()
        return told(*args, **kwargs)

    monkeypatch.setattr(ladders, "simulate", slow)
    running = asyncio.create_task(simulate(client))
    await insult(client)
    answered.set()
    assert (await running)["scheme"] == "ten_point"
