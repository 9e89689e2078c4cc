"""`/v1/sanctions`: what follows from scores, phase by phase, and taking it back."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import ConfigDict, Field

from service.api.access import Requires
from service.api.parameters import STRICT, AuditReason, Body, Cursor, Limit, Name, Page, Stored, errors
from service.api.penalty import SanctionOut, sanction_out
from service.api.routes.incidents import Spoken, Word
from service.api.state import ServiceState
from service.record.audit import add_entry
from service.record.keys import ApiKey
from service.record.sanction import Phase
from service.record.sanctions import SanctionFilters, get_sanction, lift_sanction, list_sanctions

router = APIRouter(prefix="/v1/sanctions", tags=["penalties"], dependencies=STRICT)

Supervisor = Annotated[ApiKey, Depends(Requires("supervisor", "admin"))]


class LiftBody(Body):
    """Why the sanction ends before its time."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "已培训，提前解除"}]})

    reason: Annotated[str, Field(min_length=1, max_length=2000), Stored]


@router.get("", responses=errors(), summary="Sanctions, newest first")
async def index(
    state: ServiceState,
    supervisor: Supervisor,
    spoken: Spoken,
    phase: Annotated[Phase | None, Query(description="What it is now.")] = None,
    shop_id: Word = None,
    agent_id: Word = None,
    scheme: Word = None,
    side: Annotated[
        Literal["shop", "platform"] | None, Query(description="platform: what the marketplace would do.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[SanctionOut]:
    now = state["clock"].now()
    filters = SanctionFilters(
        shop_id=shop_id, agent_id=agent_id, scheme=scheme, side=side, phases=(phase,) if phase else ()
    )
    found, following = await list_sanctions(
        state["database"], supervisor.tenant_id, filters, now=now, limit=limit, cursor=cursor
    )
    ladders = state["books"].ladders
    return Page(items=[sanction_out(each, ladders, spoken, now) for each in found], next_cursor=following)


@router.post("/{sanction_id}/lift", responses=errors(400, 404, 409, 413, 415), summary="End it before its time")
async def lift(
    state: ServiceState, supervisor: Supervisor, spoken: Spoken, sanction_id: Name, body: LiftBody, reason: AuditReason
) -> SanctionOut:
    """Only what is pending or in force. It stays lifted whatever becomes of the points; they stay as they are."""
    now = state["clock"].now()
    ladders = state["books"].ladders
    async with state["database"].write() as connection:
        before = await get_sanction(connection, supervisor.tenant_id, sanction_id)
        sanction = await lift_sanction(
            connection, supervisor.tenant_id, sanction_id, now, key_id=supervisor.id, reason=body.reason
        )
        await add_entry(
            connection,
            supervisor.tenant_id,
            supervisor.id,
            now,
            "sanction.lift",
            sanction_id,
            before={"phase": before.phase(now)},
            after={"phase": sanction.phase(now), "lift_reason": body.reason},
            reason=reason,
        )
    return sanction_out(sanction, ladders, spoken, now)
