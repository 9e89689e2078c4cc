"""A retry gets the stored answer, never a second incident; the same id with other content is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.conftest import BLOCKED, CLEAN, Running, message


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def incidents(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/v1/incidents")).json()["items"]
    return items


@pytest.mark.parametrize("text", [BLOCKED, CLEAN])
@pytest.mark.parametrize("by", ["message_id", "Idempotency-Key"])
async def test_a_retry_gets_the_stored_answer(client: httpx.AsyncClient, text: str, by: str) -> None:
    body = message(text, explain=True, **({"message_id": "m-1"} if by == "message_id" else {}))
    headers = {"Idempotency-Key": "k-1"} if by == "Idempotency-Key" else {}
    first = (await client.post("/v1/moderate", json=body, headers=headers)).json()
    # Field order and spelling in JSON are no content.
    again = dict(reversed(body.items()))
    second = (await client.post("/v1/moderate", json=again, headers=headers)).json()
    assert first["replayed"] is False
    assert second == first | {"replayed": True}
    assert len(await incidents(client)) == (text == BLOCKED)


@pytest.mark.parametrize("by", ["message_id", "Idempotency-Key"])
async def test_the_same_id_with_other_content_is_refused(client: httpx.AsyncClient, by: str) -> None:
    fields = {"message_id": "m-1"} if by == "message_id" else {}
    headers = {"Idempotency-Key": "k-1"} if by == "Idempotency-Key" else {}
    await client.post("/v1/moderate", json=message(CLEAN, **fields), headers=headers)
    response = await client.post("/v1/moderate", json=message(BLOCKED, **fields), headers=headers)
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_conflict")
    assert by in response.json()["detail"]
    assert await incidents(client) == []


async def test_many_retries_at_once_leave_one_incident(client: httpx.AsyncClient) -> None:
    body = message(BLOCKED, message_id="m-1")
    responses = await asyncio.gather(*(client.post("/v1/moderate", json=body) for _ in range(40)))
    answers = [response.json() for response in responses]
    assert {response.status_code for response in responses} == {200}
    (incident,) = await incidents(client)
    assert {answer["incident_id"] for answer in answers} == {incident["id"]}
    assert sum(not answer["replayed"] for answer in answers) == 1


async def test_a_batch_is_safe_to_repeat(client: httpx.AsyncClient) -> None:
    body = {"messages": [message(BLOCKED), message(CLEAN), message(BLOCKED, agent_id="other")]}
    headers = {"Idempotency-Key": "batch-1"}
    first = (await client.post("/v1/moderate/batch", json=body, headers=headers)).json()["results"]
    second = (await client.post("/v1/moderate/batch", json=body, headers=headers)).json()["results"]
    assert [each["body"] for each in second] == [each["body"] | {"replayed": True} for each in first]
    assert len(await incidents(client)) == 2
    other = {"messages": [message(CLEAN), message(CLEAN), message(BLOCKED, agent_id="other")]}
    third = (await client.post("/v1/moderate/batch", json=other, headers=headers)).json()["results"]
    assert [each["status"] for each in third] == [409, 200, 200]


async def test_an_id_belongs_to_its_tenant(service: Running, client: httpx.AsyncClient) -> None:
    await client.post("/v1/moderate", json=message(CLEAN, message_id="m-1"))
    async with service.as_key(await service.key("client", tenant="other")) as other:
        response = await other.post("/v1/moderate", json=message(BLOCKED, message_id="m-1"))
    assert (response.status_code, response.json()["replayed"]) == (200, False)
