"""`/v1/incidents`: what was warned or blocked, and that a warned message was sent anyway."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.api.access import Requires
from service.api.answer import findings_out
from service.api.language import Language, language_of
from service.api.parameters import STRICT, Body, Cursor, Limit, Moment, Name, Page, Stored, errors
from service.api.state import ServiceState
from service.api.waiting import find_incident, unless_waiting
from service.penalise.review import send_anyway
from service.record.incident import Incident, State
from service.record.incidents import IncidentFilters, list_incidents
from service.record.keys import ApiKey
from service.record.outcome import Found, Recorded
from service.vocabulary import Category, Channel, Platform, Severity

router = APIRouter(prefix="/v1/incidents", tags=["incidents"], dependencies=STRICT)

Reader = Annotated[ApiKey, Depends(Requires("client", "supervisor", "admin"))]
Moderator = Annotated[ApiKey, Depends(Requires("client", "admin"))]
Word = Annotated[str | None, Query(min_length=1, max_length=128), Stored]


class IncidentVersions(BaseModel):
    """What decided."""

    lexicon: str
    policy: str


class IncidentOut(BaseModel):
    """One recorded warn or block."""

    id: str
    request_id: str
    key_id: str = Field(description="The API key that asked, or the connection through which the message came.")
    created_at: datetime
    sent_at: datetime
    platform: Platform
    channel: Channel
    shop_id: str
    agent_id: str
    conversation_id: str | None
    customer_id: str | None
    message_id: str | None
    decision: Literal["warn", "block"]
    severity: Severity
    categories: list[Category]
    text: str = Field(description="As stored: secrets are asterisks, of the same length.")
    findings: list[dict[str, Any]]
    state: State
    versions: IncidentVersions
    override_reason: str | None
    overridden_at: datetime | None
    attempts: int = Field(description="How often it was tried, each time within a short while of the time before.")
    last_attempt_at: datetime | None
    claimed_by: str | None = Field(description="The API key that has taken it to decide, as long as the claim holds.")
    claimed_until: datetime | None
    appeal_due_at: datetime | None = Field(
        description="By when the appeal should be decided; null without one to decide."
    )
    reviewed_by: str | None = Field(description="The API key that decided last.")
    reviewed_at: datetime | None
    reduced_to: Severity | None = Field(description="As what it counts once it is `reduced`.")
    provider: str | None = Field(description="The chat tool that it came from; null where a client asked itself.")
    connection_id: str | None = Field(description="The connection that it came through.")
    after_delivery: bool = Field(description="The customer had seen the message before it was checked.")
    recorded: Literal["database", "journal"] = Field(description="`journal`: it waits for the database.")


class Override(Body):
    """Why a warned message was sent anyway."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "the customer asked for it"}]})

    reason: Annotated[str, Field(min_length=1, max_length=1000), Stored]


def language(request: Request) -> Language:
    return language_of(request.headers.get("accept-language", "").encode("latin-1"))


Spoken = Annotated[Language, Depends(language)]


def own(key: ApiKey) -> str | None:
    """A client sees what its own key caused; the others see the tenant's."""
    return key.id if key.role == "client" else None


def incident_out(incident: Incident, spoken: Language, now: datetime, recorded: Recorded = "database") -> IncidentOut:
    return IncidentOut(**incident_fields(incident, spoken, now) | {"recorded": recorded})


def incident_fields(incident: Incident, spoken: Language, now: datetime) -> dict[str, Any]:
    """What `IncidentOut` shows; a claim that has run out by `now` is none."""
    findings = msgspec.convert(incident.findings, tuple[Found, ...])
    claimant = incident.claimant(now)
    return msgspec.structs.asdict(incident) | {
        "findings": msgspec.to_builtins(findings_out(findings, incident.text, spoken)),
        "versions": {"lexicon": incident.lexicon_version, "policy": incident.policy_version},
        "claimed_by": claimant,
        "claimed_until": claimant and incident.claimed_until,
        "recorded": "database",
    }


@router.get("", responses=errors(), summary="Incidents, newest first")
async def index(
    state: ServiceState,
    key: Reader,
    spoken: Spoken,
    since: Annotated[Moment | None, Query(description="Made at this time or later.")] = None,
    until: Annotated[Moment | None, Query(description="Made before this time.")] = None,
    platform: Platform | None = None,
    shop_id: Word = None,
    agent_id: Word = None,
    category: Category | None = None,
    decision: Literal["warn", "block"] | None = None,
    state_: Annotated[State | None, Query(alias="state")] = None,
    text: Annotated[Word, Query(description="Somewhere in the stored text.")] = None,
    claimed: Annotated[bool | None, Query(description="Whether somebody has taken it to decide.")] = None,
    due_before: Annotated[Moment | None, Query(description="Appealed, and to be decided before this time.")] = None,
    provider: Annotated[Word, Query(description="Came from this chat tool.")] = None,
    connection_id: Word = None,
    after_delivery: Annotated[bool | None, Query(description="Whether the customer had seen it already.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[IncidentOut]:
    now = state["clock"].now()
    filters = IncidentFilters(
        since=since,
        until=until,
        platform=platform,
        shop_id=shop_id,
        agent_id=agent_id,
        category=category,
        decision=decision,
        state=state_,
        text=text,
        key_id=own(key),
        claimed_at=now if claimed else None,
        unclaimed_at=now if claimed is False else None,
        due_before=due_before,
        provider=provider,
        connection_id=connection_id,
        after_delivery=after_delivery,
    )
    found, following = await list_incidents(state["database"], key.tenant_id, filters, limit=limit, cursor=cursor)
    return Page(items=[incident_out(incident, spoken, now) for incident in found], next_cursor=following)


@router.get("/{incident_id}", responses=errors(404), summary="One incident")
async def show(state: ServiceState, key: Reader, spoken: Spoken, incident_id: Name) -> IncidentOut:
    """Also one that waits in the journal for the database: `recorded` says so."""
    incident, recorded = await find_incident(state, key.tenant_id, incident_id, own(key))
    return incident_out(incident, spoken, state["clock"].now(), recorded)


@router.post("/{incident_id}/override", responses=errors(400, 404, 409, 413, 415), summary="Sent anyway")
async def override(
    state: ServiceState, key: Moderator, spoken: Spoken, incident_id: Name, body: Override
) -> IncidentOut:
    """A warned message was sent all the same; says why. A block can't be overridden. What it costs by the shop's
    schemes is charged at once, unless a scheme waits for a supervisor.
    """
    now = state["clock"].now()
    async with unless_waiting(state, key.tenant_id, incident_id), state["database"].write() as connection:
        incident = await send_anyway(
            connection,
            state["books"],
            key.tenant_id,
            incident_id,
            reason=body.reason,
            at=now,
            key_id=key.id,
            own=own(key),
        )
    return incident_out(incident, spoken, now)
