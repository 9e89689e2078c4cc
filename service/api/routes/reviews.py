"""Appeals, claims and reviews of incidents: who disputes, who decides, and what that brings about."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from uuid_utils import uuid7

from service.api.access import Requires
from service.api.language import Language
from service.api.parameters import STRICT, AuditReason, Cursor, Limit, Moment, Name, Page, errors
from service.api.penalty import entry_out, settled_fields
from service.api.problem import problem_of
from service.api.review import (
    AppealBody,
    AppealedOut,
    BulkAnswer,
    BulkBody,
    BulkResult,
    ClaimBody,
    HistoryOut,
    LearnedOut,
    ReviewBody,
    ReviewedOut,
    ReviewOut,
    appeal_out,
    check,
    lesson_of,
    problem_fields,
    review_out,
)
from service.api.routes.incidents import IncidentOut, Moderator, Reader, Spoken, incident_fields, incident_out, own
from service.api.state import ServiceState, State
from service.api.waiting import unless_waiting
from service.errors import ShenyanError
from service.penalise.review import appeal_incident, review_incident
from service.record.audit import add_entry
from service.record.claims import claim_incident, release_incident
from service.record.drafts import Author
from service.record.incidents import get_incident
from service.record.keys import ApiKey
from service.record.ledger import entries_of_incidents
from service.record.lessons import learn
from service.record.review import Evidence, Review
from service.record.reviews import ReviewFilters, find_appeal, list_reviews, reviews_of
from service.record.transitions import Verdict

router = APIRouter(prefix="/v1", tags=["reviews"], dependencies=STRICT)

Supervisor = Annotated[ApiKey, Depends(Requires("supervisor", "admin"))]


@router.post("/incidents/{incident_id}/appeal", responses=errors(400, 404, 409, 413, 415), summary="Dispute it")
async def appeal(
    state: ServiceState, key: Moderator, spoken: Spoken, incident_id: Name, body: AppealBody
) -> AppealedOut:
    """Files an appeal on the agent's behalf, once for each incident; a supervisor's review answers it."""
    now = state["clock"].now()
    async with unless_waiting(state, key.tenant_id, incident_id), state["database"].write() as connection:
        incident, filed = await appeal_incident(
            connection,
            state["books"],
            key.tenant_id,
            incident_id,
            reason=body.reason,
            evidence=tuple(Evidence(each.kind, each.value) for each in body.evidence),
            at=now,
            key_id=key.id,
            own=own(key),
        )
    return AppealedOut(**incident_fields(incident, spoken, now), appeal=appeal_out(filed))


@router.post("/incidents/{incident_id}/claim", responses=errors(400, 404, 409, 413, 415), summary="Take it to decide")
async def claim(
    state: ServiceState, supervisor: Supervisor, spoken: Spoken, incident_id: Name, body: ClaimBody
) -> IncidentOut:
    """Until the claim runs out, or is given back, no other key can decide. Claiming again extends it."""
    now = state["clock"].now()
    until = now + timedelta(minutes=body.minutes)
    async with unless_waiting(state, supervisor.tenant_id, incident_id):
        incident = await claim_incident(state["database"], supervisor.tenant_id, incident_id, supervisor.id, now, until)
    return incident_out(incident, spoken, now)


@router.delete("/incidents/{incident_id}/claim", responses=errors(404, 409), summary="Give it back")
async def release(state: ServiceState, supervisor: Supervisor, spoken: Spoken, incident_id: Name) -> IncidentOut:
    now = state["clock"].now()
    incident = await release_incident(state["database"], supervisor.tenant_id, incident_id, supervisor.id, now)
    return incident_out(incident, spoken, now)


@router.post("/incidents/review", responses=errors(400, 413, 415), summary="Decide on up to 100 incidents")
async def review_many(
    request: Request, state: ServiceState, supervisor: Supervisor, spoken: Spoken, body: BulkBody, reason: AuditReason
) -> BulkAnswer:
    """Each decision is a transaction of its own, with its own status, in the order of the list."""
    results = []
    for each in body.reviews:
        try:
            done = await decide(state, supervisor, spoken, each.incident_id, each, reason)
            results.append(BulkResult(incident_id=each.incident_id, status=200, body=done))
        except ShenyanError as error:
            problem = problem_fields(problem_of(error, request.state.request_id))
            results.append(BulkResult(incident_id=each.incident_id, status=error.status, body=problem))
    return BulkAnswer(results=results)


@router.post("/incidents/{incident_id}/review", responses=errors(400, 404, 409, 413, 415), summary="Decide on it")
async def review(
    state: ServiceState,
    supervisor: Supervisor,
    spoken: Spoken,
    incident_id: Name,
    body: ReviewBody,
    reason: AuditReason,
) -> ReviewedOut:
    """Upheld, reduced or overturned: points, later incidents that were counted after it, and sanctions follow in the same
    transaction. A decision can be changed by whoever took it, by others once they have claimed the incident, and by
    anybody after an appeal.
    """
    return await decide(state, supervisor, spoken, incident_id, body, reason)


@router.get("/incidents/{incident_id}/history", responses=errors(404), summary="What was said and entered about it")
async def history(state: ServiceState, key: Reader, incident_id: Name) -> HistoryOut:
    async with unless_waiting(state, key.tenant_id, incident_id), state["database"].read() as connection:
        incident = await get_incident(connection, key.tenant_id, incident_id, key_id=own(key))
        filed = await find_appeal(connection, key.tenant_id, incident.id)
        taken = await reviews_of(connection, key.tenant_id, incident.id)
        entries = await entries_of_incidents(connection, key.tenant_id, [incident.id])
    return HistoryOut(
        appeal=appeal_out(filed) if filed else None,
        reviews=[review_out(each) for each in taken],
        entries=[entry_out(each) for each in entries],
    )


@router.get("/reviews", responses=errors(), summary="Decisions, newest first")
async def index(
    state: ServiceState,
    supervisor: Supervisor,
    verdict: Verdict | None = None,
    exception: Annotated[bool | None, Query(description="Whether it proposes an exception for a lexicon.")] = None,
    since: Annotated[Moment | None, Query(description="Taken at this time or later.")] = None,
    until: Annotated[Moment | None, Query(description="Taken before this time.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ReviewOut]:
    filters = ReviewFilters(verdict=verdict, since=since, until=until, with_exception=exception)
    found, following = await list_reviews(state["database"], supervisor.tenant_id, filters, limit=limit, cursor=cursor)
    return Page(items=[review_out(each) for each in found], next_cursor=following)


async def decide(
    state: State, supervisor: ApiKey, spoken: Language, incident_id: str, body: ReviewBody, reason: str | None
) -> ReviewedOut:
    """One decision in one transaction. Raises what `review_incident` raises."""
    check(body)
    now = state["clock"].now()
    made = Review(
        id=str(uuid7()),
        tenant_id=supervisor.tenant_id,
        incident_id=incident_id,
        key_id=supervisor.id,
        at=now,
        state_before="open",
        verdict=body.verdict,
        severity=body.severity,
        note=body.note,
        exception=body.exception.model_dump(mode="json") if body.exception else None,
    )
    async with unless_waiting(state, supervisor.tenant_id, incident_id), state["database"].write() as connection:
        done = await review_incident(connection, state["books"], made)
        learned = await learn(
            connection, done.incident, lesson_of(body), Author(supervisor.id, now, reason or body.note)
        )
        await add_entry(
            connection,
            supervisor.tenant_id,
            supervisor.id,
            now,
            "incident.review",
            done.incident.id,
            before={"state": done.review.state_before},
            after={"state": done.incident.state, "severity": body.severity, "review_id": made.id},
            reason=reason,
        )
    return ReviewedOut(
        **incident_fields(done.incident, spoken, now),
        **settled_fields(done.settled, state["books"].ladders, spoken, now),
        review=review_out(done.review),
        learned=LearnedOut(revision=learned.revision, case_id=learned.case_id),
    )
