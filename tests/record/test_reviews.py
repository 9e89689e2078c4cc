"""Appeals, claims and reviews on both databases: every step in every state, races, and what the ledger says after."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
from sqlalchemy import select
from uuid_utils import uuid7

from service.errors import Conflict, Malformed, NotFound
from service.penalise.books import Books
from service.penalise.load import load_ladders
from service.penalise.review import Reviewed, appeal_incident, review_incident
from service.penalise.standings import read_standing
from service.record import schema
from service.record.account import agent_account
from service.record.claims import claim_incident, release_incident
from service.record.database import Database
from service.record.incident import Incident, State
from service.record.incidents import get_incident, override_incident
from service.record.review import Appeal, Evidence, Review
from service.record.reviews import ReviewFilters, find_appeal, list_reviews, reviews_of
from service.record.shops import Shop, put_shop
from service.record.storing import Entry
from service.record.transitions import TRANSITIONS, Step, Verdict
from service.record.writer import GroupWriter
from service.settings import shipped_lexicons
from tests.record.factories import NOW, make_incident

LADDERS = load_ladders(shipped_lexicons())
BOOKS = Books(LADDERS)
STATES: tuple[State, ...] = get_args(State)
LATER = NOW + timedelta(days=1)


def warned(**changes: Any) -> Incident:
    """A warned insult."""
    fields: dict[str, Any] = {
        "platform": "generic",
        "severity": "high",
        "categories": ("abuse",),
        "findings": ({"category": "abuse", "severity": "high", "term_id": "abuse/x"},),
    }
    return make_incident(**fields | changes)


async def record(database: Database, *incidents: Incident) -> None:
    await put_shop(database, "acme", Shop(shop_id="shop-1", platform="generic", ladders=("ten_point",)), NOW)
    writer = GroupWriter(database, charging=BOOKS)
    writer.start()
    for incident in incidents:
        await writer.write(Entry(incident))
    await writer.close()


async def review(
    database: Database, incident_id: str, verdict: Verdict, *, key: str = "boss", at: datetime = LATER, **fields: Any
) -> Reviewed:
    if verdict == "reduced":
        fields.setdefault("severity", "low")
    made = Review(
        id=str(uuid7()), tenant_id="acme", incident_id=incident_id, key_id=key, at=at, state_before="open",
        verdict=verdict, note="looked at it", **fields,
    )  # fmt: skip
    async with database.write() as connection:
        return await review_incident(connection, BOOKS, made)


async def appeal(
    database: Database, incident_id: str, *, at: datetime = LATER, own: str | None = None
) -> tuple[Incident, Appeal]:
    async with database.write() as connection:
        return await appeal_incident(
            connection, BOOKS, "acme", incident_id, reason="it was a quotation", at=at, key_id="desk", own=own,
            evidence=(Evidence("text", "顾客先说的"),),
        )  # fmt: skip


async def take(database: Database, step: Step, incident_id: str, at: datetime = LATER) -> State:
    """Takes one step and returns the state after it."""
    if step == "override":
        return (await override_incident(database, "acme", incident_id, "why", at)).state
    if step == "appeal":
        return (await appeal(database, incident_id, at=at))[0].state
    verdicts: dict[Step, Verdict] = {"uphold": "upheld", "reduce": "reduced", "overturn": "overturned"}
    return (await review(database, incident_id, verdicts[step], at=at)).incident.state


async def score(database: Database) -> int | None:
    found = await read_standing(database, LADDERS, agent_account("acme", "shop-1", "agent-1"), NOW)
    (scheme,) = found.schemes
    return scheme.score


ROADS: dict[State, tuple[Step, ...]] = {
    "open": (),
    "overridden": ("override",),
    "appealed": ("appeal",),
    "upheld": ("uphold",),
    "reduced": ("reduce",),
    "overturned": ("overturn",),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", TRANSITIONS)
async def test_every_step_in_every_state(database: Database, step: Step, state: State) -> None:
    incident = warned()
    await record(database, incident)
    for each in ROADS[state]:
        assert await take(database, each, incident.id) == state
    before, after = TRANSITIONS[step]
    if state in before:
        assert await take(database, step, incident.id) == after
    else:
        with pytest.raises(Conflict, match=f"is (a warn and )?{state}"):
            await take(database, step, incident.id)
        assert (await get_incident(database, "acme", incident.id)).state == state


async def test_points_follow_the_verdict(database: Database) -> None:
    incident = warned()
    await record(database, incident)
    seen = []
    for verdict in ("upheld", "overturned", "upheld", "reduced", "overturned"):
        found = await review(database, incident.id, verdict)
        seen.append((found.incident.state, await score(database)))
    assert seen == [("upheld", 9), ("overturned", 10), ("upheld", 9), ("reduced", 9), ("overturned", 10)]
    kept = await reviews_of(database, "acme", incident.id)
    assert [(each.state_before, each.verdict) for each in kept] == [
        ("open", "upheld"), ("upheld", "overturned"), ("overturned", "upheld"), ("upheld", "reduced"),
        ("reduced", "overturned"),
    ]  # fmt: skip


async def test_a_refused_review_leaves_no_trace(database: Database) -> None:
    incident = warned()
    await record(database, incident)
    await review(database, incident.id, "upheld")
    with pytest.raises(Conflict, match="is upheld"):
        await review(database, incident.id, "upheld")
    async with database.read() as connection:
        entries = (await connection.execute(select(schema.ledger_entries))).all()
    assert (len(await reviews_of(database, "acme", incident.id)), len(entries)) == (1, 1)


async def test_an_appeal_is_filed_once(database: Database) -> None:
    incident = warned()
    await record(database, incident)
    appealed, filed = await appeal(database, incident.id)
    assert (appealed.state, appealed.appeal_due_at) == ("appealed", LATER + timedelta(hours=72))
    assert await find_appeal(database, "acme", incident.id) == filed
    await review(database, incident.id, "upheld")
    assert (await get_incident(database, "acme", incident.id)).appeal_due_at is None
    with pytest.raises(Conflict, match=r"is upheld and was appealed once") as refused:
        await appeal(database, incident.id)
    assert refused.value.code == "already_appealed"


async def test_an_appeal_may_be_filed_for_thirty_days(database: Database) -> None:
    old, decided = warned(), warned()
    await record(database, old, decided)
    late = NOW + timedelta(days=30)
    with pytest.raises(Conflict, match="is open and could be appealed until") as refused:
        await appeal(database, old.id, at=late)
    assert refused.value.code == "appeal_too_late"
    assert await find_appeal(database, "acme", old.id) is None
    await review(database, decided.id, "upheld", at=late)
    assert (await appeal(database, decided.id, at=late + timedelta(days=29)))[0].state == "appealed"


async def test_a_client_appeals_what_its_own_key_caused(database: Database) -> None:
    incident = warned(key_id="other")
    await record(database, incident)
    with pytest.raises(NotFound):
        await appeal(database, incident.id, own="desk")
    assert (await appeal(database, incident.id, own="other"))[0].state == "appealed"


async def test_two_appeals_at_once_are_one(database: Database) -> None:
    incident = warned()
    await record(database, incident)
    found = await asyncio.gather(*(appeal(database, incident.id) for _ in range(8)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in found) == ["Conflict"] * 7 + ["tuple"]


async def test_a_claim_keeps_others_out_until_it_runs_out(database: Database) -> None:
    incident = warned()
    await record(database, incident)
    until = LATER + timedelta(minutes=15)
    await claim_incident(database, "acme", incident.id, "ann", LATER, until)
    for attempt in (
        claim_incident(database, "acme", incident.id, "bob", LATER, until),
        release_incident(database, "acme", incident.id, "bob", LATER),
        review(database, incident.id, "overturned", key="bob"),
    ):
        with pytest.raises(Conflict, match="is open and claimed by key ann until") as refused:
            await attempt
        assert refused.value.code == "claimed"
    longer = until + timedelta(minutes=5)
    again = await claim_incident(database, "acme", incident.id, "ann", LATER, longer)
    assert (again.claimant(until), again.claimant(longer)) == ("ann", None)
    decided = await review(database, incident.id, "overturned", key="bob", at=longer)
    assert decided.incident.claimed_by is None


async def test_a_claim_is_given_back(database: Database) -> None:
    incident = warned()
    await record(database, incident)
    await claim_incident(database, "acme", incident.id, "ann", LATER, LATER + timedelta(minutes=15))
    await release_incident(database, "acme", incident.id, "ann", LATER)
    with pytest.raises(Conflict, match="is open and nobody has claimed it"):
        await release_incident(database, "acme", incident.id, "ann", LATER)
    assert (await review(database, incident.id, "upheld", key="bob")).incident.state == "upheld"


async def test_claims_at_once_have_one_winner(database: Database) -> None:
    incident = warned()
    await record(database, incident)
    until = LATER + timedelta(minutes=15)
    keys = [f"key-{number}" for number in range(10)]
    attempts = (claim_incident(database, "acme", incident.id, key, LATER, until) for key in keys)
    found = await asyncio.gather(*attempts, return_exceptions=True)
    (winner,) = [each for each in found if isinstance(each, Incident)]
    assert (await get_incident(database, "acme", incident.id)).claimed_by == winner.claimed_by
    assert sum(isinstance(each, Conflict) for each in found) == 9


async def test_of_two_reviewers_at_once_one_decides(database: Database) -> None:
    incident = warned()
    await record(database, incident)
    said: list[tuple[str, Verdict]] = [("ann", "upheld"), ("bob", "overturned"), ("cat", "reduced"), ("dan", "upheld")]
    attempts = [review(database, incident.id, verdict, key=key) for key, verdict in said]
    found = await asyncio.gather(*attempts, return_exceptions=True)
    (decided,) = [each for each in found if isinstance(each, Reviewed)]
    assert sum(isinstance(each, Conflict) for each in found) == 3
    assert (await get_incident(database, "acme", incident.id)).reviewed_by == decided.review.key_id
    assert len(await reviews_of(database, "acme", incident.id)) == 1


async def test_another_ones_decision_is_changed_only_with_a_claim(database: Database) -> None:
    incident = warned()
    await record(database, incident)
    await review(database, incident.id, "upheld", key="ann")
    with pytest.raises(Conflict, match="is upheld by key ann; claim it first") as refused:
        await review(database, incident.id, "overturned", key="bob")
    assert refused.value.code == "decided"
    await claim_incident(database, "acme", incident.id, "bob", LATER, LATER + timedelta(minutes=5))
    assert (await review(database, incident.id, "overturned", key="bob")).incident.state == "overturned"
    # An appeal asks for a decision, whoever made the last one.
    second = warned()
    await record(database, second)
    await review(database, second.id, "upheld", key="ann")
    await appeal(database, second.id)
    assert (await review(database, second.id, "overturned", key="bob")).incident.state == "overturned"


@pytest.mark.parametrize("severity", ["high", "critical", None])
async def test_reduced_means_less_grave(database: Database, severity: Any) -> None:
    incident = warned()
    await record(database, incident)
    with pytest.raises(Malformed):
        await review(database, incident.id, "reduced", severity=severity)
    assert (await review(database, incident.id, "reduced", severity="medium")).incident.reduced_to == "medium"


async def test_reviews_in_pages_and_with_what_they_propose(database: Database) -> None:
    incidents = [warned() for _ in range(5)]
    await record(database, *incidents)
    proposal = {"phrase": "高仿毛", "categories": ["counterfeit"]}
    for number, incident in enumerate(incidents):
        at = LATER + timedelta(minutes=number)
        exception = proposal if number == 3 else None
        verdict: Verdict = "overturned" if number % 2 else "upheld"
        await review(database, incident.id, verdict, at=at, exception=exception)
    seen: list[Review] = []
    cursor = None
    while True:
        page, cursor = await list_reviews(database, "acme", ReviewFilters(), limit=2, cursor=cursor)
        seen += page
        if cursor is None:
            break
    assert [each.incident_id for each in seen] == [each.id for each in reversed(incidents)]

    async def count(**filters: Any) -> int:
        return len((await list_reviews(database, "acme", ReviewFilters(**filters), limit=9))[0])

    assert (await count(verdict="overturned"), await count(with_exception=False)) == (2, 4)
    assert (await count(since=LATER + timedelta(minutes=2)), await count(until=LATER + timedelta(minutes=2))) == (3, 2)
    ((proposed,), _) = await list_reviews(database, "acme", ReviewFilters(with_exception=True), limit=9)
    assert proposed.exception == proposal
    assert msgspec.json.decode(msgspec.json.encode(proposed), type=Review) == proposed


async def test_another_tenant_finds_nothing(database: Database) -> None:
    incident = warned()
    await record(database, incident)
    await appeal(database, incident.id)
    await review(database, incident.id, "upheld")
    for attempt in (
        claim_incident(database, "other", incident.id, "k", LATER, LATER + timedelta(minutes=1)),
        release_incident(database, "other", incident.id, "k", LATER),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await find_appeal(database, "other", incident.id) is None
    assert await reviews_of(database, "other", incident.id) == []
    assert await list_reviews(database, "other", ReviewFilters(), limit=9) == ([], None)
