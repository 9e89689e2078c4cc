"""Counts by hour: they always equal a count over the incidents themselves."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from service.record.database import Database
from service.record.hourly import (
    CountKey,
    HourFilters,
    HourSum,
    Kind,
    add_counts,
    count_incidents,
    hour_of,
    read_counts,
)
from service.record.incident import Incident
from service.record.incidents import IncidentFilters, list_incidents
from service.record.storing import Entry
from service.record.writer import GroupWriter
from tests.record.factories import NOW, make_incident, store
from tests.record.test_reviews import appeal, record, review, warned

EVER = HourFilters(first=0, end=10**9)


async def counted(
    database: Database, kind: Kind, *, width: int = 1, offset: int = 0, filters: HourFilters = EVER
) -> list[HourSum]:
    return await read_counts(database, "acme", kind, filters, width=width, offset=offset, limit=10_000)


def some(count: int) -> list[Incident]:
    """Incidents of all kinds, over a few days."""
    dice = random.Random(7)
    found = []
    for number in range(count):
        categories = tuple(dice.sample(["abuse", "contact", "ad_law"], dice.randint(1, 3)))
        terms = [f"{category}/{dice.randint(1, 3)}" for category in categories for _ in range(dice.randint(1, 2))]
        found.append(
            make_incident(
                created_at=NOW + timedelta(minutes=dice.randint(0, 6000)),
                decision=dice.choice(["warn", "block"]),
                platform=dice.choice(["taobao", "jd"]),
                shop_id=f"shop-{dice.randint(1, 2)}",
                agent_id=f"agent-{dice.randint(1, 4)}",
                categories=categories,
                findings=tuple({"category": term.partition("/")[0], "term_id": term} for term in terms),
                text=f"text {number}",
            )
        )
    return found


async def test_counts_equal_a_count_over_incidents(database: Database) -> None:
    incidents = some(200)
    await store(database, *incidents)
    kept, _ = await list_incidents(database, "acme", IncidentFilters(), limit=1000)
    assert len(kept) == 200

    def expect(names: Any, bucket: Any, chosen: list[Incident]) -> Counter[tuple[int, str, str]]:
        return Counter((bucket(each), name, each.decision) for each in chosen for name in names(each))

    names: dict[Kind, Any] = {
        "decision": lambda each: [""],
        "category": lambda each: each.categories,
        "term": lambda each: {found["term_id"] for found in each.findings},
        "agent": lambda each: [each.agent_id],
    }
    hours = sorted(hour_of(each.created_at) for each in kept)
    middle = hours[100]
    # In Shanghai a day begins at 16:00 the day before in UTC.
    for kind, of in names.items():
        for width, offset in ((1, 0), (24, 0), (24, 8)):
            for filters, chosen in (
                (EVER, kept),
                (
                    HourFilters(first=middle, end=10**9, platform="jd", shop_id="shop-1"),
                    [
                        e
                        for e in kept
                        if (e.platform, e.shop_id) == ("jd", "shop-1") and hour_of(e.created_at) >= middle
                    ],
                ),
            ):
                rows = await counted(database, kind, width=width, offset=offset, filters=filters)
                found = Counter[tuple[int, str, str]]()
                for row in rows:
                    found[row.bucket, row.name, "warn"] += row.numbers[1]
                    found[row.bucket, row.name, "block"] += row.numbers[2]
                expected = expect(of, lambda each, w=width, o=offset: (hour_of(each.created_at) + o) // w, chosen)
                assert +found == expected, (kind, width, offset)


async def test_a_second_try_of_a_group_counts_once(database: Database) -> None:
    incident = make_incident()
    await store(database, incident)
    await store(database, incident)
    (row,) = await counted(database, "decision")
    assert row.numbers == (0, 1, 0, 0, 0)


async def test_a_group_that_is_refused_counts_what_was_kept(database: Database) -> None:
    good, bad = make_incident(), make_incident(text=None)
    writer = GroupWriter(database)
    writer.start()
    with pytest.raises(Exception, match="could not be stored"):
        await writer.write(Entry(bad))
    await writer.write(Entry(good))
    await writer.close()
    (row,) = await counted(database, "decision")
    assert row.numbers == (0, 1, 0, 0, 0)


async def test_verdicts_are_counted_where_the_incident_is(database: Database) -> None:
    incident = warned()
    await record(database, incident)

    async def now() -> tuple[int, ...]:
        kinds: tuple[Kind, ...] = ("decision", "category", "term", "agent")
        seen = {(await counted(database, kind))[0].numbers for kind in kinds}
        (numbers,) = seen
        return numbers

    assert await now() == (0, 1, 0, 0, 0)
    await review(database, incident.id, "upheld")
    assert await now() == (0, 1, 0, 1, 0)
    await review(database, incident.id, "reduced")
    assert await now() == (0, 1, 0, 1, 0)
    await appeal(database, incident.id)
    assert await now() == (0, 1, 0, 1, 0)
    await review(database, incident.id, "overturned")
    assert await now() == (0, 1, 0, 0, 1)
    ((row,),) = [await counted(database, "decision")]
    assert row.bucket == hour_of(incident.created_at)


async def test_tenants_are_counted_apart(database: Database) -> None:
    await store(database, make_incident(tenant_id="other"))
    assert await counted(database, "decision") == []


async def test_rows_are_bounded(database: Database) -> None:
    async with database.write() as connection:
        await add_counts(
            connection,
            {CountKey("acme", "agent", hour, "jd", "s", "a"): (1, 0, 0, 0, 0) for hour in range(50)},
        )
        await count_incidents(connection, [])
    assert len(await read_counts(database, "acme", "agent", EVER, width=1, offset=0, limit=20)) == 20
    (week,) = await read_counts(database, "acme", "agent", EVER, width=168, offset=0, limit=20)
    assert week.numbers == (50, 0, 0, 0, 0)


def test_hours_are_whole() -> None:
    assert hour_of(datetime.fromisoformat("1970-01-02T08:59:59.999999+08:00")) == 24
