"""The books on both databases: a month of a shop, reversals, adjustments, sanctions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from service.errors import Conflict, NotFound
from service.penalise.books import Books, Verdict
from service.penalise.load import load_ladders
from service.penalise.pages import Settled
from service.penalise.standing import SchemeStanding
from service.penalise.standings import Standing, read_standing
from service.record import schema
from service.record.account import Account, agent_account, shop_account
from service.record.database import Database
from service.record.entry import LedgerEntry
from service.record.incident import Incident
from service.record.ledger import accounts_of_agent, entries_of_incidents, entries_since, list_entries
from service.record.sanctions import SanctionFilters, get_sanction, lift_sanction, list_sanctions
from service.record.shops import Shop, put_shop
from service.record.storing import Entry
from service.record.writer import GroupWriter
from service.settings import shipped_lexicons
from tests.record.factories import NOW, make_incident

LADDERS = load_ladders(shipped_lexicons())
BOOKS = Books(LADDERS)
AGENT = agent_account("acme", "shop-1", "agent-1")
SHOP = shop_account("acme", "shop-1")


async def put(database: Database, platform: Any = "generic", *ladders: str) -> None:
    """The shop, with the schemes that it picks."""
    await put_shop(database, "acme", Shop(shop_id="shop-1", platform=platform, ladders=ladders), NOW)


def abuse(number: int = 0, **changes: Any) -> Incident:
    """A blocked insult, `number` hours after the first."""
    at = NOW + timedelta(hours=number)
    fields: dict[str, Any] = {
        "decision": "block",
        "severity": "high",
        "categories": ("abuse",),
        "findings": ({"category": "abuse", "severity": "high", "clauses": []},),
        "platform": "generic",
        "sent_at": at,
        "created_at": at,
    }
    return make_incident(**fields | changes)


async def record(database: Database, *incidents: Incident) -> list[Incident]:
    """Stores incidents as the service does, one after the other."""
    writer = GroupWriter(database, charging=BOOKS)
    writer.start()
    for incident in incidents:
        await writer.write(Entry(incident))
    await writer.close()
    return list(incidents)


async def settle(database: Database, incident: Incident, verdict: Verdict, **options: Any) -> Settled:
    async with database.write() as connection:
        return await BOOKS.settle(connection, incident, verdict, NOW + timedelta(days=1), **options)


async def standing(database: Database, account: Account = AGENT, at: datetime = NOW) -> Standing:
    return await read_standing(database, LADDERS, account, at)


async def scheme(database: Database, name: str, account: Account = AGENT, at: datetime = NOW) -> SchemeStanding:
    found = await standing(database, account, at)
    (one,) = [each for each in (*found.schemes, *found.exposure) if each.scheme == name]
    return one


async def check_sums(database: Database) -> None:
    """The sums by day are the sums of the entries, and entries are numbered without a gap."""
    entries, days = schema.ledger_entries.c, schema.ledger_days.c
    keys = ("tenant_id", "account_id", "scheme", "day", "rule")
    added = ("points", "money", "incidents")
    async with database.read() as connection:
        true = select(*(entries[key] for key in keys), *(func.sum(entries[name]) for name in added))
        expected = (await connection.execute(true.group_by(*(entries[key] for key in keys)))).all()
        kept = (await connection.execute(select(*(days[key] for key in keys), *(days[name] for name in added)))).all()
        numbered = select(entries.account_id, func.max(entries.seq), func.count()).group_by(entries.account_id)
        gaps = [row for row in await connection.execute(numbered) if row[1] != row[2]]
    assert sorted(map(str, (tuple(map(str, row)) for row in expected))) == sorted(
        map(str, (tuple(map(str, row)) for row in kept))
    )
    assert gaps == []


async def test_five_insults_in_a_month(database: Database) -> None:
    await put(database, "generic", "ten_point")
    seen = []
    for number in range(5):
        await record(database, abuse(number))
        found = await scheme(database, "ten_point")
        seen.append((found.score, found.state))
    assert seen == [(9, "good"), (8, "good"), (5, "spoken_warning"), (4, "spoken_warning"), (0, "penalty")]
    assert [each.consequence for each in (await standing(database)).sanctions] == ["penalty", "spoken_warning"]
    await check_sums(database)


async def test_a_warning_costs_only_once_it_is_upheld(database: Database) -> None:
    await put(database, "generic", "ten_point")
    (incident,) = await record(database, abuse(decision="warn"))
    assert (await scheme(database, "ten_point")).score == 10
    assert len((await settle(database, incident, "upheld", key_id="k")).entries) == 1
    assert await settle(database, incident, "upheld") == Settled()
    assert (await scheme(database, "ten_point")).score == 9


async def test_a_warning_that_was_overridden_costs_at_once(database: Database) -> None:
    await put(database, "generic", "ten_point", "kpi")
    (incident,) = await record(database, abuse(decision="warn"))
    await settle(database, incident, "overridden")
    assert (await scheme(database, "ten_point")).score == 9
    assert (await scheme(database, "kpi")).score == 100
    await settle(database, incident, "upheld")
    assert (await scheme(database, "ten_point")).score == 9
    assert (await scheme(database, "kpi")).score == 85


async def test_overturning_the_third_is_as_if_it_had_never_been(database: Database) -> None:
    await put(database, "generic", "ten_point")
    incidents = await record(database, *(abuse(number) for number in range(5)))
    settled = await settle(database, incidents[2], "overturned", key_id="k", note="no insult")
    assert [each.consequence for each in settled.lifted] == ["penalty"]
    found = await scheme(database, "ten_point")
    assert (found.score, found.state, found.incidents) == (4, "spoken_warning", 4)
    (reversal,) = [each for each in settled.entries if each.kind == "reversal"]
    (charge, _) = await entries_of_incidents(database, "acme", [incidents[2].id])
    assert (reversal.reversal_of, reversal.points, reversal.note) == (charge.id, -3, "no insult")
    (lifted,) = settled.lifted
    assert (await get_sanction(database, "acme", lifted.id)).phase(NOW) == "lifted"
    assert await settle(database, incidents[2], "overturned") == Settled()
    await check_sums(database)


async def test_what_was_overturned_can_be_upheld_again(database: Database) -> None:
    await put(database, "generic", "ten_point")
    incidents = await record(database, *(abuse(number) for number in range(5)))
    for _ in range(3):
        await settle(database, incidents[2], "overturned")
        settled = await settle(database, incidents[2], "upheld")
        assert [each.consequence for each in settled.started] == ["penalty"]
        assert (await scheme(database, "ten_point")).score == 0
    assert [each.consequence for each in (await standing(database)).sanctions] == ["penalty", "spoken_warning"]
    await check_sums(database)


async def test_the_marketplace_would(database: Database) -> None:
    await put(database, "taobao")
    serious = [abuse(number, platform="taobao") for number in range(4)]
    points = []
    for incident in serious:
        await record(database, incident)
        points.append((await scheme(database, "taobao", SHOP)).points)
    assert points == [12, 24, 36, 48]
    found = await standing(database, SHOP)
    assert (found.schemes, found.sanctions) == ((), ())
    assert [each.consequence for each in found.exposed_to] == ["frozen", *["hidden_7_days"] * 3]
    # The agent sees what it brought about; what is done falls on the shop.
    of_agent = await standing(database)
    assert ([each.points for each in of_agent.exposure], of_agent.exposed_to) == ([48], ())
    await settle(database, serious[0], "overturned")
    found = await standing(database, SHOP)
    assert [each.consequence for each in found.exposed_to] == ["hidden_7_days"] * 3
    assert found.exposure[0].state == "good"
    await check_sums(database)


async def test_an_extreme_one_freezes(database: Database) -> None:
    findings = ({"category": "abuse", "severity": "critical"},)
    await record(database, abuse(platform="tmall", severity="critical", findings=findings))
    found = await standing(database, SHOP)
    assert [(each.points, each.state) for each in found.exposure] == [(48, "frozen")]
    assert [(each.consequence, each.ends_at) for each in found.exposed_to] == [("frozen", None)]


async def test_kuaishou_pays_the_customer(database: Database) -> None:
    findings = ({"category": "abuse", "severity": "high", "clauses": ["kuaishou 2.4"]},)
    await record(database, abuse(platform="kuaishou", findings=findings))
    assert (await scheme(database, "kuaishou", SHOP)).money == 200_00


async def test_only_the_gravest_finding_costs(database: Database) -> None:
    findings = tuple({"category": "abuse", "severity": severity} for severity in ("medium", "high", "medium"))
    await record(database, abuse(platform="taobao", findings=findings))
    assert (await scheme(database, "taobao", SHOP)).points == 12


async def test_reduced_costs_what_its_new_severity_costs(database: Database) -> None:
    await put(database, "taobao", "kpi")
    (incident,) = await record(database, abuse(platform="taobao"))
    await settle(database, incident, "upheld")
    assert (await scheme(database, "kpi")).score == 85
    await settle(database, incident, "reduced", severity="low")
    assert (await scheme(database, "kpi")).score == 95
    assert (await scheme(database, "taobao", SHOP)).points == 0
    await settle(database, incident, "overturned")
    assert (await scheme(database, "kpi")).score == 100
    assert (await standing(database, SHOP)).exposed_to == ()
    await check_sums(database)


async def test_months_change_at_midnight_where_the_shop_is(database: Database) -> None:
    await put(database, "generic", "ten_point")
    midnight = datetime(2026, 3, 31, 16, tzinfo=UTC)
    moments = [midnight - timedelta(microseconds=1), midnight]
    await record(database, *(abuse(sent_at=moment) for moment in moments))
    found = [await scheme(database, "ten_point", at=moment) for moment in moments]
    assert [(each.window.key, each.score) for each in found] == [("2026-03", 9), ("2026-04", 9)]


async def test_adjustments(database: Database) -> None:
    await put(database, "generic", "ten_point")
    await record(database, abuse())

    async def adjust(points: int) -> Settled:
        async with database.write() as connection:
            return await BOOKS.adjust(connection, AGENT, "ten_point", NOW, points=points, note="why", key_id="k")

    settled = await adjust(4)
    assert [each.consequence for each in settled.started] == ["spoken_warning"]
    back = await adjust(-2)
    assert [each.consequence for each in back.lifted] == ["spoken_warning"]
    assert (await scheme(database, "ten_point")).score == 7
    async with database.write() as connection:
        again = await BOOKS.reverse(connection, "acme", back.entries[0].id, NOW, note="oh", key_id="k")
    assert [each.consequence for each in again.started] == ["spoken_warning"]
    assert (await scheme(database, "ten_point")).score == 5
    for entry, code in ((back.entries[0], "already_reversed"), (await first_charge(database), "not_an_adjustment")):
        with pytest.raises(Conflict) as refused:
            async with database.write() as connection:
                await BOOKS.reverse(connection, "acme", entry.id, NOW, note="oh", key_id="k")
        assert refused.value.code == code
    for account, name in ((AGENT, "no_such"), (SHOP, "ten_point")):
        with pytest.raises(NotFound):
            async with database.write() as connection:
                await BOOKS.adjust(connection, account, name, NOW, points=1, note="why", key_id="k")
    await check_sums(database)


async def first_charge(database: Database) -> LedgerEntry:
    return (await entries_since(database, "acme", AGENT.id, "ten_point", NOW.date()))[0]


async def test_what_a_supervisor_lifted_stays_lifted(database: Database) -> None:
    await put(database, "generic", "ten_point")
    incidents = await record(database, *(abuse(number) for number in range(4)))
    (warning,) = (await standing(database)).sanctions
    lifted = await lift_sanction(database, "acme", warning.id, NOW + timedelta(days=1), key_id="k", reason="mercy")
    assert (lifted.phase(NOW), lifted.lift_reason) == ("lifted", "mercy")
    with pytest.raises(Conflict, match="is lifted"):
        await lift_sanction(database, "acme", warning.id, NOW, key_id="k", reason="again")
    settled = await settle(database, incidents[0], "overturned")
    assert (settled.started, settled.lifted) == ((), ())
    assert (await standing(database)).sanctions == ()


async def test_sanctions_by_phase_and_pages(database: Database) -> None:
    await put(database, "pinduoduo")
    await record(database, *(abuse(number, platform="pinduoduo") for number in range(5)))
    later = NOW + timedelta(days=7, hours=2, minutes=30)

    async def phases(*phases: Any) -> int:
        filters = SanctionFilters(phases=phases, account_id=SHOP.id)
        return len((await list_sanctions(database, "acme", filters, now=later, limit=50))[0])

    assert [await phases(phase) for phase in ("pending", "in_force", "ended", "lifted")] == [0, 2, 3, 0]
    assert await phases() == await phases("in_force", "ended") == 5
    seen, cursor = [], None
    while True:
        page, cursor = await list_sanctions(database, "acme", now=later, limit=2, cursor=cursor)
        seen += page
        if cursor is None:
            break
    assert [each.created_at for each in seen] == sorted((each.created_at for each in seen), reverse=True)
    assert len(seen) == 5
    assert (await list_sanctions(database, "other", now=later, limit=2))[0] == []


async def test_statements(database: Database) -> None:
    await put(database, "generic", "ten_point")
    await record(database, *(abuse(number) for number in range(3)), abuse(24 * 40))
    first, last = date(2026, 3, 1), date(2026, 3, 31)
    seen, cursor = [], None
    while True:
        page, cursor = await list_entries(database, "acme", AGENT.id, first=first, last=last, limit=2, cursor=cursor)
        seen += page
        if cursor is None:
            break
    assert [(each.seq, each.points) for each in seen] == [(1, 1), (2, 1), (3, 3)]
    assert await accounts_of_agent(database, "acme", "agent-1") == [AGENT]


async def test_events_that_are_no_message(database: Database) -> None:
    await put(database, "tmall", "fines")
    for number in range(6):
        async with database.write() as connection:
            for _ in range(2):
                await BOOKS.charge_event(connection, AGENT, "late_answer", f"late-{number}", NOW, NOW)
    found = await scheme(database, "fines")
    assert (found.money, found.incidents) == (50_00, 6)
    await check_sums(database)
