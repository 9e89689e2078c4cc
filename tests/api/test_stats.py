"""Statistics over HTTP: they equal a count over what was sent, in the calendar that was asked for."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import delete

from service.api.stats import EPOCH, HOUR, begin_of, even_pieces, quantile
from service.clock import FixedClock
from service.penalise.window import SHANGHAI
from service.record import schema
from service.record.hourly import CountKey, add_counts, hour_of
from tests.api.conftest import BLOCKED, CLEAN, Running, message

KINDS = ("decisions", "categories", "terms", "agents", "latency")
WARNED = "你是不是有病"


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def clock(service: Running, monkeypatch: pytest.MonkeyPatch) -> FixedClock:
    clock = FixedClock(datetime(2026, 3, 10, 15, 30, tzinfo=UTC))
    monkeypatch.setattr(service.state["clock"], "now", clock.now, raising=False)
    return clock


async def stats(client: httpx.AsyncClient, kind: str, **query: Any) -> list[dict[str, Any]]:
    response = await client.get(f"/v1/stats/{kind}", params=query)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["items"]
    return found


async def send(client: httpx.AsyncClient, text: str, number: int, **fields: Any) -> dict[str, Any]:
    body = message(text, customer_id=f"customer-{number}", **fields)
    answer: dict[str, Any] = (await client.post("/v1/moderate", json=body)).json()
    return answer


async def test_stats_equal_a_count_over_incidents(client: httpx.AsyncClient, clock: FixedClock) -> None:
    allowed = Counter[str]()
    for number in range(30):
        # Across midnight in Shanghai, which is 16:00 in UTC.
        if number == 15:
            clock.advance(3600)
        text = (CLEAN, WARNED, BLOCKED)[number % 3]
        agent = f"agent-{number % 4}"
        answer = await send(client, text, number, agent_id=agent, shop_id=f"shop-{number % 2}")
        allowed[agent] += answer["decision"] == "allow"
    incidents = (await client.get("/v1/incidents", params={"limit": 200})).json()["items"]
    assert len(incidents) == 20

    def days(names: Any) -> Counter[tuple[str, str, str]]:
        def day(each: dict[str, Any]) -> str:
            return datetime.fromisoformat(each["created_at"]).astimezone(SHANGHAI).date().isoformat()

        return Counter((day(each), name, each["decision"]) for each in incidents for name in names(each))

    ways: dict[str, Any] = {
        "decisions": lambda each: [""],
        "categories": lambda each: each["categories"],
        "terms": lambda each: {found["term_id"] for found in each["findings"] if found["term_id"]},
        "agents": lambda each: [each["agent_id"]],
    }
    for kind, names in ways.items():
        found = Counter[tuple[str, str, str]]()
        for row in await stats(client, kind):
            for decision, number_of in (("warn", row["warned"]), ("block", row["blocked"])):
                found[row["start"][:10], row.get("name", ""), decision] += number_of
        assert +found == days(names), kind
    rows = await stats(client, "decisions")
    assert [row["start"] for row in rows] == ["2026-03-10T00:00:00+08:00", "2026-03-11T00:00:00+08:00"]
    assert sum(row["allowed"] for row in rows) == 10
    by_agent = Counter[str]()
    for row in await stats(client, "agents"):
        by_agent[row["name"]] += row["allowed"]
    assert +by_agent == +allowed
    (one,) = await stats(client, "decisions", bucket="month", shop_id="shop-1")
    assert one["allowed"] + one["warned"] + one["blocked"] == 15
    assert one["start"] == "2026-03-01T00:00:00+08:00"
    assert await stats(client, "decisions", platform="jd") == []
    assert len(await stats(client, "decisions", bucket="hour")) == 2
    assert [row["name"] for row in await stats(client, "categories", category="counterfeit", bucket="week")] == [
        "counterfeit"
    ]
    assert {row["name"] for row in await stats(client, "agents", agent_id="agent-2")} == {"agent-2"}


async def test_latencies(client: httpx.AsyncClient, clock: FixedClock) -> None:
    for number in range(6):
        await send(client, (CLEAN, BLOCKED)[number % 2], number)
    (row,) = await stats(client, "latency")
    assert row["messages"] == 6
    assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]


async def test_retries_and_analyses_are_not_counted(client: httpx.AsyncClient, clock: FixedClock) -> None:
    for _ in range(3):
        await send(client, CLEAN, 1, message_id="m-1")
        await send(client, BLOCKED, 1, message_id="m-2")
        await client.post("/v1/analyze", json=message(BLOCKED))
    (row,) = await stats(client, "decisions")
    assert (row["allowed"], row["warned"], row["blocked"]) == (1, 0, 1)
    assert (await stats(client, "latency"))[0]["messages"] == 2


async def test_false_hits_show(client: httpx.AsyncClient, clock: FixedClock) -> None:
    made = [(await send(client, BLOCKED, number))["incident_id"] for number in range(3)]
    for incident_id, verdict in zip(made, ("upheld", "overturned", "overturned"), strict=True):
        body = {"verdict": verdict, "note": "x"}
        assert (await client.post(f"/v1/incidents/{incident_id}/review", json=body)).status_code == 200
    for kind in ("decisions", "categories", "terms", "agents"):
        (row, *_) = await stats(client, kind)
        assert (row["blocked"], row["upheld"], row["overturned"]) == (3, 1, 2)


async def test_incidents_are_not_looked_at(service: Running, client: httpx.AsyncClient, clock: FixedClock) -> None:
    await send(client, BLOCKED, 1)
    before = [await stats(client, kind) for kind in KINDS]
    async with service.state["database"].write() as connection:
        await connection.execute(delete(schema.incidents))
    assert [await stats(client, kind) for kind in KINDS] == before
    assert all(before)


async def test_as_a_file(client: httpx.AsyncClient, clock: FixedClock) -> None:
    await send(client, BLOCKED, 1, agent_id="=1+1")
    await send(client, CLEAN, 1, agent_id="=1+1")
    answer = await client.get("/v1/stats/agents", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert row == {
        "start": "2026-03-10T00:00:00+08:00", "name": "'=1+1", "allowed": "1", "warned": "0", "blocked": "1",
        "upheld": "0", "overturned": "0",
    }  # fmt: skip
    for kind, columns in (
        ("decisions", "start,allowed,warned,blocked,upheld,overturned"),
        ("terms", "start,name,warned,blocked,upheld,overturned"),
        ("latency", "start,messages,p50_ms,p95_ms,p99_ms"),
    ):
        text = (await client.get(f"/v1/stats/{kind}", headers={"Accept": "text/csv"})).text
        assert text.removeprefix("\ufeff").splitlines()[0] == columns


@pytest.mark.parametrize(
    "query",
    [
        {"bucket": "minute"},
        {"timezone": "Mars/Olympus"},
        {"since": "2026-03-02T00:00:00Z", "until": "2026-03-01T00:00:00Z"},
        {"since": "2026-03-01T00:00:00"},
        {"since": "2020-01-01T00:00:00Z", "bucket": "hour"},
        {"since": "2000-01-01T00:00:00Z", "until": "2199-01-01T00:00:00Z", "bucket": "month"},
        {"more": "1"},
    ],
)
async def test_questions_that_make_no_sense(client: httpx.AsyncClient, query: dict[str, str]) -> None:
    assert (await client.get("/v1/stats/decisions", params=query)).status_code == 422


async def test_too_many_rows_are_refused(service: Running, client: httpx.AsyncClient, clock: FixedClock) -> None:
    hour = hour_of(clock.now())
    rows = {CountKey("default", "agent", hour, "jd", "s", str(n)): (1, 0, 0, 0, 0) for n in range(20_001)}
    async with service.state["database"].write() as connection:
        await add_counts(connection, rows)
    response = await client.get("/v1/stats/agents")
    assert (response.status_code, "20,000 rows" in response.json()["detail"]) == (422, True)


async def test_tenants_see_their_own(service: Running, client: httpx.AsyncClient) -> None:
    await send(client, BLOCKED, 1)
    async with service.as_key(await service.key("supervisor", tenant="other")) as other:
        for kind in KINDS:
            assert await stats(other, kind) == []


@pytest.mark.parametrize("name", ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"])
@pytest.mark.parametrize("first", ["2026-03-01T07:00:00+00:00", "2025-10-20T00:00:00+00:00"])
def test_every_hour_falls_on_the_day_that_it_is_there(name: str, first: str) -> None:
    zone = ZoneInfo(name)
    start = hour_of(datetime.fromisoformat(first))
    pieces = list(even_pieces(start, start + 24 * 40, zone))
    assert (pieces[0][0], pieces[-1][1]) == (start, start + 24 * 40)
    assert all(one[1] == other[0] for one, other in pairwise(pieces))
    for begin, end, offset in pieces:
        for hour in range(begin, end):
            local = (EPOCH + hour * HOUR).astimezone(zone)
            if name == "Asia/Kolkata":
                local -= timedelta(minutes=30)
            assert begin_of((hour + offset) // 24, "day", zone).date() == local.date(), hour


def test_weeks_and_months_begin_where_the_calendar_says() -> None:
    number = (datetime(2026, 3, 1, tzinfo=UTC) - EPOCH).days
    assert begin_of(number, "week", SHANGHAI).isoformat() == "2026-02-23T00:00:00+08:00"
    assert begin_of(number + 30, "month", SHANGHAI).isoformat() == "2026-03-01T00:00:00+08:00"
    assert begin_of(number * 24, "hour", SHANGHAI).isoformat() == "2026-03-01T08:00:00+08:00"


def test_quantiles() -> None:
    assert [quantile([50, 45, 5, 0], [1, 2, 3], share) for share in (0.5, 0.95, 0.99, 1)] == [1, 2, 3, 3]
    assert quantile([0, 0, 0, 1], [1, 2, 3], 0.5) is None
