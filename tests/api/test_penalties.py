"""What an answer says of the cost, and what it does cost, through the service itself, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from service.errors import Unavailable
from service.penalise import foresight
from service.penalise.foresight import NOT_READ, Foresight
from service.penalise.standings import read_standing
from service.record.account import agent_account, shop_account
from tests.api.conftest import CLEAN, Running, message

INSULT = "你就是个白痴"
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def post(client: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    response = await client.post("/v1/moderate", json=body, headers=headers)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def put_shop(client: httpx.AsyncClient, platform: str = "kuaishou", *ladders: str) -> None:
    body = {"platform": platform, "ladders": list(ladders)}
    assert (await client.put("/v1/shops/shop-1", json=body)).status_code == 200


async def score(service: Running) -> int | None:
    account = agent_account("default", "shop-1", "agent-1")
    books, now = service.state["books"], service.state["clock"].now()
    (found,) = (await read_standing(service.state["database"], books.ladders, account, now)).schemes
    return found.score


async def test_an_answer_says_what_the_message_would_cost(client: httpx.AsyncClient) -> None:
    await put_shop(client, "kuaishou", "ten_point")
    penalty = (await post(client, message(INSULT), **ENGLISH))["penalty"]
    assert penalty["forecast"] == [
        {
            "scheme": "ten_point",
            "points": 1,
            "money": 0.0,
            "points_after": 1,
            "score_after": 9,
            "brings": [],
            "next": "at 5: spoken warning",
        }
    ]
    (exposure,) = penalty["exposure"]
    assert (exposure["scheme"], exposure["money"]) == ("kuaishou", 200.0)
    assert "200 CNY" in exposure["brings"][0]


async def test_a_shop_without_schemes_is_only_exposed(service: Running, client: httpx.AsyncClient) -> None:
    penalty = (await post(client, message(INSULT, platform="taobao")))["penalty"]
    assert penalty["forecast"] == []
    assert [each["points_after"] for each in penalty["exposure"]] == [12]
    books, now = service.state["books"], service.state["clock"].now()
    database, account = service.state["database"], shop_account("default", "shop-1")
    (exposure,) = (await read_standing(database, books.ladders, account, now)).exposure
    assert (exposure.scheme, exposure.points) == ("taobao", 12)


async def test_an_allowed_message_has_no_forecast_and_reads_nothing(
    service: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(*_: Any) -> Any:
        raise AssertionError("nothing is to be foreseen")

    monkeypatch.setattr(Foresight, "look", look)
    assert (await post(client, message(CLEAN)))["penalty"] == {"forecast": [], "exposure": []}


async def test_a_store_that_fails_or_stalls_leaves_the_forecast_out(
    service: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> Any:
        raise Unavailable("out")

    async def stall(_: object) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(foresight, "PATIENCE", 0.01)
    for number, read in enumerate((fail, stall)):
        monkeypatch.setattr(service.state["pipeline"]._foresight, "_read", read)
        answer = await post(client, message(f"{INSULT} {number}"))
        assert answer["penalty"] == {"forecast": [], "exposure": []}
        assert NOT_READ in answer["degraded"]
        assert answer["recorded"] == "database"


async def test_the_same_message_tried_again_is_one_incident_with_a_count(
    service: Running, client: httpx.AsyncClient
) -> None:
    await put_shop(client, "generic", "ten_point")
    body = message(INSULT, platform="generic", customer_id="c1")
    answers = await asyncio.gather(*(post(client, body) for _ in range(10)))
    answers.append(await post(client, body | {"message_id": "m"}))
    stored = await post(client, body | {"message_id": "m"})
    assert stored["replayed"]
    assert {answer["incident_id"] for answer in (*answers, stored)} == {answers[0]["incident_id"]}
    items = (await client.get("/v1/incidents")).json()["items"]
    assert [item["id"] for item in items] == [answers[0]["incident_id"]]
    assert await score(service) == 9
    await post(client, body | {"customer_id": "c2"})
    assert await score(service) == 8


async def test_a_retry_storm_charges_once(service: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "generic", "ten_point")
    body = message(INSULT, platform="generic", message_id="m1")
    answers = await asyncio.gather(*(post(client, body) for _ in range(30)))
    assert len({answer["incident_id"] for answer in answers}) == 1
    assert await score(service) == 9
