"""`/v1/incidents`: what was warned or blocked, and that a warned message was sent anyway."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from service.api.access import Requires
from service.api.answer import findings_out
from service.api.language import Language, language_of
from service.api.parameters import STRICT, Body, Cursor, Limit, Moment, Name, Page, Stored, errors
from service.api.state import ServiceState
from service.record.incident import Incident, State
from service.record.incidents import IncidentFilters, get_incident, list_incidents, override_incident
from service.record.keys import ApiKey
from service.record.outcome import Found
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
    key_id: str = Field(description="The API key that asked.")
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


class Override(Body):
    """Why a warned message was sent anyway."""

    reason: Annotated[str, Field(min_length=1, max_length=1000), Stored]


def language(request: Request) -> Language:
    return language_of(request.headers.get("accept-language", "").encode("latin-1"))


Spoken = Annotated[Language, Depends(language)]


def own(key: ApiKey) -> str | None:
    """A client sees what its own key caused; the others see the tenant's."""
    return key.id if key.role == "client" else None


def incident_out(incident: Incident, spoken: Language) -> IncidentOut:
    findings = msgspec.convert(incident.findings, tuple[Found, ...])
    row = msgspec.structs.asdict(incident)
    return IncidentOut(
        **row
        | {
            "findings": msgspec.to_builtins(findings_out(findings, incident.text, spoken)),
            "versions": {"lexicon": incident.lexicon_version, "policy": incident.policy_version},
        }
    )


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
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[IncidentOut]:
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
    )
    found, following = await list_incidents(state["database"], key.tenant_id, filters, limit=limit, cursor=cursor)
    return Page(items=[incident_out(incident, spoken) for incident in found], next_cursor=following)


@router.get("/{incident_id}", responses=errors(404), summary="One incident")
async def show(state: ServiceState, key: Reader, spoken: Spoken, incident_id: Name) -> IncidentOut:
    incident = await get_incident(state["database"], key.tenant_id, incident_id, key_id=own(key))
    return incident_out(incident, spoken)


@router.post("/{incident_id}/override", responses=errors(400, 404, 409, 413, 415), summary="Sent anyway")
async def override(
    state: ServiceState, key: Moderator, spoken: Spoken, incident_id: Name, body: Override
) -> IncidentOut:
    """A warned message was sent all the same; says why. A block can't be overridden."""
    incident = await override_incident(
        state["database"], key.tenant_id, incident_id, body.reason, state["clock"].now(), key_id=own(key)
    )
    return incident_out(incident, spoken)
