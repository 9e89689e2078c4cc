"""A month of a shop over HTTP: what incidents cost, what that brings about, and how each step is taken back."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from service.clock import FixedClock
from tests.api.conftest import Running, message

MARCH = "2026-03-{day:02}T10:00:00+08:00"
SERIOUS, EXTREME = "神经病吧你", "你这个傻逼"


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def put_shop(
    client: httpx.AsyncClient, platform: str, *ladders: str, shop_id: str = "shop-1", **more: Any
) -> None:
    body = {"platform": platform, "ladders": ladders, **more}
    assert (await client.put(f"/v1/shops/{shop_id}", json=body)).status_code == 200


async def insult(
    client: httpx.AsyncClient, platform: str = "generic", day: int = 2, text: str = SERIOUS, **fields: Any
) -> str:
    """An insult of that day of March 2026; returns the incident's id."""
    fields.setdefault("sent_at", MARCH.format(day=day))
    fields.setdefault("customer_id", f"customer-{day}")
    answer = (await client.post("/v1/moderate", json=message(text, platform=platform, **fields))).json()
    assert answer["decision"] == "block", answer
    found: str = answer["incident_id"]
    return found


async def review(client: httpx.AsyncClient, incident_id: str, verdict: str, **fields: Any) -> dict[str, Any]:
    body = {"verdict": verdict, "note": "looked at it", **fields}
    response = await client.post(f"/v1/incidents/{incident_id}/review", json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def march(client: httpx.AsyncClient) -> dict[str, Any]:
    """The agent's `ten_point` of March, out of the statement: the standing is of the month that it is now."""
    page = await get(client, "/v1/agents/agent-1/ledger", month="2026-03", scheme="ten_point", limit=200)
    return {"points": sum(each["points"] for each in page["items"]), "kinds": [each["kind"] for each in page["items"]]}


@pytest.fixture
def in_march(service: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """The service, at the end of March 2026."""
    clock = FixedClock(datetime(2026, 3, 31, 12, tzinfo=UTC))
    monkeypatch.setattr(service.state["clock"], "now", clock.now, raising=False)
    return service


async def test_a_month_of_a_shop(in_march: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "generic", "ten_point")
    seen, incidents = [], []
    for day in (2, 5, 9, 12, 20):
        incidents.append(await insult(client, day=day))
        await review(client, incidents[-1], "upheld")
        standing = await get(client, "/v1/agents/agent-1/standing")
        (scheme,) = standing["schemes"]
        seen.append((scheme["score"], scheme["state"]))
    assert seen == [(9, "good"), (8, "good"), (5, "spoken_warning"), (4, "spoken_warning"), (0, "penalty")]
    assert (scheme["period"], scheme["full"], scheme["points"], scheme["incidents"]) == ("2026-03", 10, 10, 5)
    assert [each["consequence"] for each in standing["sanctions"]] == ["penalty", "spoken_warning"]

    done = await review(client, incidents[2], "overturned")
    assert done["state"] == "overturned"
    assert [each["consequence"] for each in done["sanctions_lifted"]] == ["penalty"]
    after = await get(client, "/v1/agents/agent-1/standing")
    # As if there had been four: 1, 1, 3 and 1 points.
    assert (after["schemes"][0]["score"], after["schemes"][0]["state"]) == (4, "spoken_warning")
    assert [each["consequence"] for each in after["sanctions"]] == ["spoken_warning"]
    assert after["schemes"][0]["next"] == "降至 2 分：处罚"
    assert after["schemes"][0]["points_left"] == 2
    lifted = await get(client, "/v1/sanctions", phase="lifted")
    assert [each["consequence"] for each in lifted["items"]] == ["penalty"]
    assert (await march(client))["points"] == 6


async def test_as_if_it_had_never_been(in_march: Running, client: httpx.AsyncClient) -> None:
    """The same month in two shops: in one the third incident is overturned, in the other it never was."""
    for shop_id, days in (("with", (2, 5, 9, 12, 20)), ("without", (2, 5, 12, 20))):
        await put_shop(client, "generic", "ten_point", "kpi", shop_id=shop_id)
        made = {day: await insult(client, day=day, shop_id=shop_id) for day in days}
        for each in made.values():
            await review(client, each, "upheld")
        if shop_id == "with":
            await review(client, made[9], "overturned")
    standings = [await get(client, "/v1/agents/agent-1/standing", shop_id=shop_id) for shop_id in ("with", "without")]
    assert standings[0]["schemes"] == standings[1]["schemes"]
    in_force = [[each["consequence"] for each in standing["sanctions"]] for standing in standings]
    assert in_force[0] == in_force[1]


async def test_what_taobao_would_do(in_march: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "taobao")
    points = []
    for day in (2, 5, 9, 12):
        await insult(client, "taobao", day)
        (exposure,) = (await get(client, "/v1/shops/shop-1/standing"))["exposure"]
        points.append((exposure["points"], exposure["state"]))
    assert points == [(12, "good"), (24, "good"), (36, "good"), (48, "frozen")]
    standing = await get(client, "/v1/shops/shop-1/standing")
    assert (standing["agent_id"], standing["schemes"], standing["sanctions"]) == (None, [], [])
    assert standing["exposed_to"][0]["consequence"] == "frozen"
    assert standing["exposed_to"][0]["ends_at"] is None
    await put_shop(client, "tmall", shop_id="shop-2")
    await insult(client, "tmall", 2, EXTREME, shop_id="shop-2")
    (exposure,) = (await get(client, "/v1/shops/shop-2/standing"))["exposure"]
    assert (exposure["points"], exposure["state"]) == (48, "frozen")


async def test_kuaishou_would_take_200_cny(in_march: Running, client: httpx.AsyncClient) -> None:
    await insult(client, "kuaishou")
    (exposure,) = (await get(client, "/v1/shops/shop-1/standing"))["exposure"]
    assert (exposure["scheme"], exposure["money"], exposure["score"]) == ("kuaishou", 200, None)
    assert [each["consequence"] for each in (await get(client, "/v1/sanctions", side="platform"))["items"]] == ["4.17"]


async def test_fifty_at_the_edge_fire_one_sanction(in_march: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "generic", "ten_point")
    for day in (2, 5):
        await insult(client, day=day)
    await asyncio.gather(*(insult(client, day=9, customer_id=f"other-{number}") for number in range(50)))
    sanctions = (await get(client, "/v1/sanctions", limit=200))["items"]
    assert sorted(each["consequence"] for each in sanctions) == ["penalty", "spoken_warning"]
    (scheme,) = (await get(client, "/v1/agents/agent-1/standing"))["schemes"]
    assert (scheme["incidents"], scheme["score"]) == (52, 0)


async def test_a_retry_storm_charges_once(in_march: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "generic", "ten_point")
    found = await asyncio.gather(*(insult(client, message_id="m-1") for _ in range(40)))
    assert len(set(found)) == 1
    # Without an id of its own the same message is one incident all the same, with a count.
    again = await asyncio.gather(*(insult(client, day=3) for _ in range(10)))
    assert len(set(again)) == 1
    assert (await get(client, f"/v1/incidents/{again[0]}"))["attempts"] == 10
    assert await march(client) == {"points": 2, "kinds": ["charge", "charge"]}


async def test_months_change_at_midnight_where_the_shop_is(in_march: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "generic", "ten_point")
    for number, moment in enumerate(("2026-02-28T23:59:59.999999+08:00", "2026-03-01T00:00:00+08:00")):
        await insult(client, sent_at=moment, customer_id=f"customer-{number}")
    for month, day in (("2026-02", "2026-02-28"), ("2026-03", "2026-03-01")):
        items = (await get(client, "/v1/agents/agent-1/ledger", month=month))["items"]
        assert [each["day"] for each in items] == [day]
    await put_shop(client, "generic", "ten_point", shop_id="shop-2", timezone="America/New_York")
    await insult(client, sent_at="2026-03-01T04:59:59+00:00", shop_id="shop-2")
    items = (await get(client, "/v1/agents/agent-1/ledger", month="2026-02", shop_id="shop-2"))["items"]
    assert [each["day"] for each in items] == ["2026-02-28"]


async def test_an_overridden_warning_is_charged_at_once(in_march: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "generic", "ten_point", "kpi")
    body = message("你是不是有病", platform="generic", sent_at=MARCH.format(day=2))
    answer = (await client.post("/v1/moderate", json=body)).json()
    assert answer["decision"] == "warn", answer
    path = f"/v1/incidents/{answer['incident_id']}"
    assert (await get(client, "/v1/agents/agent-1/standing", shop_id="shop-1"))["schemes"][0]["points"] == 0
    assert (await client.post(f"{path}/override", json={"reason": "x"})).json()["state"] == "overridden"
    schemes = {each["scheme"]: each["points"] for each in (await get(client, "/v1/agents/agent-1/standing"))["schemes"]}
    assert schemes == {"ten_point": 1, "kpi": 0}
    again = await client.post(f"{path}/override", json={"reason": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "not_overridable")
    assert "overridden" in again.json()["detail"]


async def test_the_statement_as_a_file(in_march: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "generic", "ten_point")
    body = {"shop_id": "shop-1", "agent_id": "agent-1", "scheme": "ten_point", "points": -1, "day": "2026-03-09"}
    for number in range(3):
        note = ("+1", "@SUM(A1)", "好的,\n“谢谢”")[number]
        assert (await client.post("/v1/ledger/adjustments", json={**body, "note": note})).status_code == 201
    answer = await client.get(
        "/v1/agents/agent-1/ledger", params={"month": "2026-03", "limit": 1}, headers={"Accept": "text/csv"}
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="ledger-2026-03.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["points"], row["note"]) for row in rows] == [
        ("-1", "'+1"), ("-1", "'@SUM(A1)"), ("-1", "好的,\n“谢谢”"),
    ]  # fmt: skip
    as_json = await client.get(
        "/v1/agents/agent-1/ledger", params={"month": "2026-03"}, headers={"Accept": "text/csv;q=0.5, application/json"}
    )
    assert len(as_json.json()["items"]) == 3


async def test_adjustments_and_their_reversal(in_march: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "generic", "ten_point")
    body = {"shop_id": "shop-1", "agent_id": "agent-1", "scheme": "ten_point", "points": 5, "note": "训诫"}
    made = await client.post("/v1/ledger/adjustments", json=body, headers={"X-Audit-Reason": "because"})
    assert made.status_code == 201
    assert [each["consequence"] for each in made.json()["sanctions_started"]] == ["spoken_warning"]
    (entry,) = made.json()["entries"]
    back = await client.post("/v1/ledger/adjustments", json={"reverses": entry["id"], "note": "oh"})
    assert back.json()["entries"][0]["reversal_of"] == entry["id"]
    assert [each["consequence"] for each in back.json()["sanctions_lifted"]] == ["spoken_warning"]
    again = await client.post("/v1/ledger/adjustments", json={"reverses": entry["id"], "note": "oh"})
    assert (again.status_code, again.json()["code"]) == (409, "already_reversed")
    charge = await insult(client)
    (charged,) = (await get(client, f"/v1/incidents/{charge}/history"))["entries"]
    refused = await client.post("/v1/ledger/adjustments", json={"reverses": charged["id"], "note": "oh"})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_an_adjustment")
    audit = (await get(client, "/v1/audit"))["items"]
    assert [(each["action"], each["reason"]) for each in audit[:2]] == [
        ("ledger.reverse", None), ("ledger.adjust", "because"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"points": 0}, ""),
        ({"shop_id": None}, "/shop_id"),
        ({"scheme": None}, "/scheme"),
        ({"reverses": "x"}, "/points"),
        ({"points": 0, "money": 0.001}, "/money"),
        ({"points": 10_001}, "/points"),
        ({"points": 1.5}, "/points"),
        ({"day": "1066-10-14"}, "/day"),
        ({"note": ""}, "/note"),
        ({"more": 1}, "/more"),
    ],
)
async def test_adjustments_that_make_no_sense(client: httpx.AsyncClient, change: dict[str, Any], pointer: str) -> None:
    body = {"shop_id": "shop-1", "agent_id": "agent-1", "scheme": "ten_point", "points": 1, "note": "x"} | change
    body = {name: value for name, value in body.items() if value is not None}
    response = await client.post("/v1/ledger/adjustments", json=body)
    assert response.status_code == 422
    assert pointer in [place["pointer"] for place in response.json()["errors"]]


async def test_money_by_hand(in_march: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "tmall", "fines")
    body = {"shop_id": "shop-1", "agent_id": "agent-1", "scheme": "fines", "money": 50.25, "note": "x"}
    made = await client.post("/v1/ledger/adjustments", json=body)
    assert made.json()["entries"][0]["money"] == 50.25
    (scheme,) = (await get(client, "/v1/agents/agent-1/standing"))["schemes"]
    assert scheme["money"] == 50.25
    for scheme_name, agent in (("no_such", "agent-1"), ("fines", None)):
        refused = await client.post(
            "/v1/ledger/adjustments",
            json={**body, "scheme": scheme_name} | ({"agent_id": agent} if agent else {"agent_id": None}),
        )
        assert refused.status_code == 404


async def test_an_agent_of_several_shops(in_march: Running, client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/agents/agent-1/standing")).status_code == 404
    for shop_id in ("one", "two"):
        await put_shop(client, "generic", "ten_point", shop_id=shop_id)
        await insult(client, shop_id=shop_id)
    refused = await client.get("/v1/agents/agent-1/standing")
    assert refused.status_code == 422
    assert "one, two" in refused.json()["errors"][0]["detail"]
    assert (await get(client, "/v1/agents/agent-1/standing", shop_id="two"))["shop_id"] == "two"
    fresh = await get(client, "/v1/agents/somebody-new/standing", shop_id="two")
    assert [each["score"] for each in fresh["schemes"]] == [10]


async def test_sanctions_are_lifted_once(in_march: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "generic", "ten_point")
    for day in (2, 5, 9):
        await insult(client, day=day)
    (sanction,) = (await get(client, "/v1/sanctions", phase="in_force", agent_id="agent-1", scheme="ten_point"))[
        "items"
    ]
    assert (sanction["name"], sanction["phase"]) == ("口头警告", "in_force")
    path = f"/v1/sanctions/{sanction['id']}/lift"
    lifted = await client.post(path, json={"reason": "已谈话"}, headers={"Accept-Language": "en"})
    assert (lifted.json()["phase"], lifted.json()["name"]) == ("lifted", "spoken warning")
    again = await client.post(path, json={"reason": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "not_liftable")
    assert "is lifted" in again.json()["detail"]
    assert (await get(client, "/v1/sanctions", phase="in_force"))["items"] == []
    audit = (await get(client, "/v1/audit"))["items"][0]
    assert (audit["action"], audit["before"], audit["after"]["phase"]) == (
        "sanction.lift", {"phase": "in_force"}, "lifted",
    )  # fmt: skip


async def test_a_stranger_finds_nothing(in_march: Running, client: httpx.AsyncClient) -> None:
    await put_shop(client, "generic", "ten_point")
    incidents = [await insult(client, day=day) for day in (2, 5, 9)]
    (sanction,) = (await get(client, "/v1/sanctions"))["items"]
    body = {"shop_id": "shop-1", "agent_id": "agent-1", "scheme": "ten_point", "points": 1, "note": "x"}
    entry = (await client.post("/v1/ledger/adjustments", json=body)).json()["entries"][0]["id"]
    async with in_march.as_key(await in_march.key("admin", tenant="other")) as other:
        verdict = {"verdict": "upheld", "note": "x"}
        for method, path, sent in [
            ("GET", "/v1/agents/agent-1/standing", None),
            ("GET", "/v1/agents/agent-1/ledger", None),
            ("GET", f"/v1/incidents/{incidents[0]}/history", None),
            ("POST", f"/v1/incidents/{incidents[0]}/appeal", {"reason": "x"}),
            ("POST", f"/v1/incidents/{incidents[0]}/claim", {}),
            ("DELETE", f"/v1/incidents/{incidents[0]}/claim", None),
            ("POST", f"/v1/incidents/{incidents[0]}/review", verdict),
            ("POST", f"/v1/sanctions/{sanction['id']}/lift", {"reason": "x"}),
            ("POST", "/v1/ledger/adjustments", {"reverses": entry, "note": "x"}),
        ]:
            assert (await other.request(method, path, json=sent)).status_code == 404, path
        bulk = await other.post("/v1/incidents/review", json={"reviews": [{"incident_id": incidents[0], **verdict}]})
        assert [each["status"] for each in bulk.json()["results"]] == [404]
        assert (await get(other, "/v1/sanctions"))["items"] == []
        assert (await get(other, "/v1/reviews"))["items"] == []
        fresh = await get(other, "/v1/agents/agent-1/standing", shop_id="shop-1")
        assert (fresh["schemes"], fresh["exposure"], fresh["sanctions"]) == ([], [], [])
        simulated = await other.post("/v1/ladders/simulate", json={"ladder": "ten_point"})
        assert simulated.json()["incidents"] == 0


async def test_a_retried_adjustment_is_entered_once(client: httpx.AsyncClient) -> None:
    body = {"shop_id": "shop-1", "agent_id": "agent-9", "scheme": "ten_point", "points": 2, "note": "x"}

    async def adjust(**change: Any) -> httpx.Response:
        key = {"Idempotency-Key": "adjust-1"}
        return await client.post("/v1/ledger/adjustments", json=body | change, headers=key)

    # One that is refused leaves the key free.
    assert (await adjust(scheme="nothing")).status_code == 404
    made = await asyncio.gather(*(adjust() for _ in range(5)))
    assert [each.status_code for each in made] == [201] * 5
    assert all(each.json() == made[0].json() for each in made)
    other = await adjust(points=3)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    ledger = await client.get("/v1/agents/agent-9/ledger", params={"shop_id": "shop-1"})
    assert len(ledger.json()["items"]) == 1
