"""Appeals, claims and reviews over HTTP: every wrong step is a 409 that names the state."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from service.lexicon.term import ExceptionPhrase
from service.record.cases import list_cases
from service.record.drafts import get_item
from service.record.lexicons import create_lexicon
from service.record.transitions import TRANSITIONS
from tests.api.conftest import BLOCKED, Running, message

WARNED = "你是不是有病"
SENT: dict[str, tuple[str, dict[str, Any]]] = {
    "override": ("override", {"reason": "顾客要求"}),
    "appeal": ("appeal", {"reason": "是引用", "evidence": [{"kind": "url", "value": "https://example.com/1"}]}),
    "uphold": ("review", {"verdict": "upheld", "note": "x"}),
    "reduce": ("review", {"verdict": "reduced", "severity": "low", "note": "x"}),
    "overturn": ("review", {"verdict": "overturned", "note": "x"}),
}
ROADS = {"open": (), "overridden": ("override",), "appealed": ("appeal",), "upheld": ("uphold",), "reduced": ("reduce",),
         "overturned": ("overturn",)}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def warn(client: httpx.AsyncClient, number: int = 0, text: str = WARNED) -> str:
    body = message(text, customer_id=f"customer-{number}")
    found: str = (await client.post("/v1/moderate", json=body)).json()["incident_id"]
    return found


async def take(client: httpx.AsyncClient, step: str, incident_id: str) -> httpx.Response:
    path, body = SENT[step]
    return await client.post(f"/v1/incidents/{incident_id}/{path}", json=body)


async def listed(client: httpx.AsyncClient, **query: Any) -> list[str]:
    response = await client.get("/v1/incidents", params=query)
    assert response.status_code == 200, response.text
    return [each["id"] for each in response.json()["items"]]


@pytest.mark.parametrize("step", SENT)
async def test_every_wrong_step_is_refused_with_the_state(client: httpx.AsyncClient, step: str) -> None:
    allowed, after = TRANSITIONS[step]  # type: ignore[index]
    for number, (state, road) in enumerate(ROADS.items()):
        incident_id = await warn(client, number)
        for each in road:
            assert (await take(client, each, incident_id)).json()["state"] == state
        response = await take(client, step, incident_id)
        if state in allowed:
            assert (response.status_code, response.json()["state"]) == (200, after)
        else:
            assert response.status_code == 409, (step, state)
            assert f" {state}" in response.json()["detail"]
            assert incident_id in await listed(client, state=state)


async def test_an_appeal_from_filing_to_decision(service: Running, client: httpx.AsyncClient) -> None:
    async with service.as_key(await service.key("client")) as desk:
        foreign = await warn(client, 1)
        assert (await take(desk, "appeal", foreign)).status_code == 404
        incident_id = await warn(desk)
        filed = (await take(desk, "appeal", incident_id)).json()
        assert (filed["state"], filed["appeal"]["evidence"]) == ("appealed", SENT["appeal"][1]["evidence"])
        assert filed["appeal_due_at"] == filed["appeal"]["due_at"]
        assert (await take(desk, "overturn", incident_id)).status_code == 403
        again = await take(desk, "appeal", incident_id)
        assert (again.status_code, again.json()["code"]) == (409, "already_appealed")
        assert "is appealed" in again.json()["detail"]
    assert await listed(client, state="appealed", due_before="2199-01-01T00:00:00Z") == [incident_id]
    assert await listed(client, due_before="2020-01-01T00:00:00Z") == []
    done = (await take(client, "overturn", incident_id)).json()
    assert (done["state"], done["appeal_due_at"], done["review"]["state_before"]) == ("overturned", None, "appealed")
    history = (await client.get(f"/v1/incidents/{incident_id}/history")).json()
    assert history["appeal"]["reason"] == "是引用"
    assert [each["verdict"] for each in history["reviews"]] == ["overturned"]
    async with service.as_key(await service.key("client")) as stranger:
        assert (await stranger.get(f"/v1/incidents/{incident_id}/history")).status_code == 404


async def test_two_reviewers_can_not_both_decide(service: Running, client: httpx.AsyncClient) -> None:
    incident_id = await warn(client)
    path = f"/v1/incidents/{incident_id}/claim"
    keys = [await service.key("supervisor") for _ in range(4)]
    clients = [service.as_key(key) for key in keys]
    found = await asyncio.gather(*(each.post(path, json={"minutes": 5}) for each in clients))
    assert sorted(each.status_code for each in found) == [200, 409, 409, 409]
    (winner,) = [index for index, each in enumerate(found) if each.status_code == 200]
    loser = clients[(winner + 1) % 4]
    assert await listed(client, claimed=True) == [incident_id]
    assert await listed(client, claimed=False) == []
    for refused in (await take(loser, "uphold", incident_id), await loser.delete(path)):
        assert (refused.status_code, refused.json()["code"]) == (409, "claimed")
        assert "is open and claimed by" in refused.json()["detail"]
    assert (await take(clients[winner], "uphold", incident_id)).json()["claimed_by"] is None
    late = await take(loser, "overturn", incident_id)
    assert (late.status_code, late.json()["code"]) == (409, "decided")
    assert "is upheld by" in late.json()["detail"]
    assert (await loser.post(path, json={})).json()["claimed_by"] is not None
    assert (await take(loser, "overturn", incident_id)).json()["state"] == "overturned"
    nothing = await loser.delete(path)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "not_claimed")
    for each in clients:
        await each.aclose()


async def test_decisions_at_once_have_one_winner(service: Running, client: httpx.AsyncClient) -> None:
    incident_id = await warn(client)
    clients = [service.as_key(await service.key("supervisor")) for _ in range(6)]
    steps = ("uphold", "overturn", "reduce") * 2
    pairs = zip(clients, steps, strict=True)
    found = await asyncio.gather(*(take(each, step, incident_id) for each, step in pairs))
    assert sorted(each.status_code for each in found) == [200, 409, 409, 409, 409, 409]
    history = (await client.get(f"/v1/incidents/{incident_id}/history")).json()
    assert len(history["reviews"]) == 1
    for each in clients:
        await each.aclose()


async def test_many_at_once_each_by_itself(client: httpx.AsyncClient) -> None:
    first, second, third = [await warn(client, number) for number in range(3)]
    await take(client, "uphold", second)
    decisions = [
        {"incident_id": first, "verdict": "upheld", "note": "x"},
        {"incident_id": second, "verdict": "upheld", "note": "x"},
        {"incident_id": "nope", "verdict": "overturned", "note": "x"},
        {"incident_id": third, "verdict": "reduced", "note": "x"},
        {"incident_id": third, "verdict": "reduced", "severity": "low", "note": "x"},
    ]
    response = await client.post("/v1/incidents/review", json={"reviews": decisions})
    results = response.json()["results"]
    assert [each["status"] for each in results] == [200, 409, 404, 422, 200]
    assert [each["incident_id"] for each in results] == [each["incident_id"] for each in decisions]
    assert results[0]["body"]["state"] == "upheld"
    assert (results[1]["body"]["code"], results[2]["body"]["code"]) == ("wrong_state", "not_found")
    assert "is upheld" in results[1]["body"]["detail"]
    assert results[1]["body"]["request_id"] == response.headers["x-request-id"]
    assert results[3]["body"]["errors"][0]["pointer"] == "/severity"
    assert (results[4]["body"]["reduced_to"], results[4]["body"]["state"]) == ("low", "reduced")
    assert sorted(await listed(client, state="upheld")) == sorted([first, second])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"verdict": "reduced", "note": "x"}, "/severity"),
        ({"verdict": "reduced", "severity": "critical", "note": "x"}, "/severity"),
        ({"verdict": "upheld", "severity": "low", "note": "x"}, "/severity"),
        ({"verdict": "upheld", "note": "x", "exception": {"phrase": "x"}}, "/exception"),
        ({"verdict": "upheld", "note": "x", "case": {"lexicon": "x"}}, "/case"),
        ({"verdict": "overturned", "note": "x", "exception": {"phrase": " "}}, "/exception/phrase"),
        ({"verdict": "overturned"}, "/note"),
        ({"verdict": "maybe", "note": "x"}, "/verdict"),
    ],
)
async def test_decisions_that_make_no_sense(client: httpx.AsyncClient, body: dict[str, Any], pointer: str) -> None:
    incident_id = await warn(client)
    response = await client.post(f"/v1/incidents/{incident_id}/review", json=body)
    assert response.status_code == 422
    assert pointer in [each["pointer"] for each in response.json()["errors"]]
    assert await listed(client, state="open") == [incident_id]


async def test_what_a_false_hit_proposes_is_kept(client: httpx.AsyncClient) -> None:
    incident_id = await warn(client, text=BLOCKED)
    exception = {"phrase": "高仿毛", "categories": ["counterfeit"], "reason": "面料名\0", "passes": ["高仿毛外套"]}
    body = {"verdict": "overturned", "note": "面料", "exception": exception}
    done = await client.post(f"/v1/incidents/{incident_id}/review", json=body, headers={"X-Audit-Reason": "weekly"})
    kept = exception | {"lexicon": None, "reason": "面料名␀"}
    assert done.json()["review"]["exception"] == kept
    await take(client, "uphold", await warn(client, 1))
    (proposed,) = (await client.get("/v1/reviews", params={"exception": True})).json()["items"]
    assert (proposed["exception"], proposed["incident_id"]) == (kept, incident_id)
    for query, count in (({"exception": False}, 1), ({"verdict": "upheld"}, 1), ({}, 2)):
        assert len((await client.get("/v1/reviews", params=query)).json()["items"]) == count
    audit = (await client.get("/v1/audit")).json()["items"]
    entry = next(each for each in audit if each["target"] == incident_id)
    assert (entry["action"], entry["before"], entry["after"]["state"], entry["reason"]) == (
        "incident.review", {"state": "open"}, "overturned", "weekly",
    )  # fmt: skip


async def test_what_a_false_hit_teaches_lands_in_a_draft(service: Running, client: httpx.AsyncClient) -> None:
    database = service.state["database"]
    lexicon = await create_lexicon(database, "default", "ours", "", service.state["clock"].now())
    first, second = [await warn(client, number, BLOCKED) for number in range(2)]
    exception = {"phrase": "高仿毛", "categories": ["counterfeit"], "lexicon": "ours"}
    body = {"verdict": "overturned", "note": "面料", "exception": exception, "case": {"lexicon": "ours"}}
    refused = await client.post(
        f"/v1/incidents/{first}/review", json={**body, "exception": {**exception, "lexicon": "theirs"}}
    )
    assert refused.status_code == 404
    assert await listed(client, state="open") == [second, first]
    taught = [(await client.post(f"/v1/incidents/{each}/review", json=body)).json() for each in (first, second)]
    # The second time the phrase is there already.
    assert [each["learned"]["revision"] for each in taught] == [1, None]
    item = await get_item(database, lexicon.id, "exception", "高仿毛")
    assert isinstance(item.body, ExceptionPhrase)
    assert item.body.categories == ("counterfeit",)
    cases, _ = await list_cases(database, lexicon.id, limit=9)
    assert [(each.text, each.expect, each.platform) for each in cases] == [(BLOCKED, "pass", "kuaishou")] * 2
    assert [each.id for each in cases] == [each["learned"]["case_id"] for each in taught]
