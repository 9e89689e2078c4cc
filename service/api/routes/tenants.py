"""`/v1/tenant`: what the caller's tenant has set for itself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from service.api.access import Requires
from service.api.parameters import STRICT, AuditReason, Body, errors
from service.api.state import ServiceState
from service.api.words import IfMatch, over_of, set_etag
from service.record.audit import add_entry
from service.record.drafts import Author
from service.record.keys import ApiKey
from service.record.samples import count_samples
from service.record.tenants import TenantRevision, TenantSettings, get_settings, put_settings

router = APIRouter(prefix="/v1/tenant", tags=["tenant"], dependencies=STRICT)

Admin = Annotated[ApiKey, Depends(Requires("admin"))]


class SamplingBody(Body):
    """How many of the allowed messages are kept to try drafts on, masked as incidents are, and for how long."""

    rate: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, description="0: none, 0.01: every hundredth.")] = 0.0
    days: Annotated[int, Field(ge=1, le=90, description="Then they are deleted; examples of shadows, too.")] = 14


class TenantBody(Body):
    """What is left out is as it is by default."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sampling": {"rate": 0.01, "days": 14}}]})

    sampling: SamplingBody = SamplingBody()


class TenantOut(BaseModel):
    """A tenant's settings."""

    tenant_id: str
    revision: int = Field(description="0: the defaults; what `ETag` says, too.")
    sampling: SamplingBody
    samples: int = Field(description="Messages that are kept at this moment.")
    changed_at: datetime | None
    changed_by: str = Field(description="The API key; empty: the defaults.")


@router.get("", responses=errors(), summary="The tenant's settings")
async def show(state: ServiceState, admin: Admin, response: Response) -> TenantOut:
    found = await get_settings(state["database"], admin.tenant_id)
    set_etag(response, found.revision)
    return await tenant_out(state, admin.tenant_id, found)


@router.put("", responses=errors(400, 412, 413, 415), summary="Change the tenant's settings")
async def put(
    state: ServiceState,
    admin: Admin,
    body: TenantBody,
    reason: AuditReason,
    response: Response,
    if_match: IfMatch = None,
) -> TenantOut:
    """In place of all that was set before; live in this process when the answer comes, everywhere within a second."""
    author = Author(admin.id, state["clock"].now(), reason)
    settings = msgspec.convert(body.model_dump(), TenantSettings)
    async with state["database"].write() as connection:
        before, after = await put_settings(connection, admin.tenant_id, settings, author, over=over_of(if_match))
        await add_entry(
            connection,
            admin.tenant_id,
            admin.id,
            author.at,
            "tenant.put",
            admin.tenant_id,
            before=before.settings,
            after=after.settings,
            reason=reason,
        )
    await state["watch"].catch_up(admin.tenant_id)
    set_etag(response, after.revision)
    return await tenant_out(state, admin.tenant_id, after)


async def tenant_out(state: ServiceState, tenant_id: str, found: TenantRevision) -> TenantOut:
    return TenantOut(
        tenant_id=tenant_id,
        revision=found.revision,
        sampling=SamplingBody(**msgspec.to_builtins(found.settings.sampling)),
        samples=await count_samples(state["database"], tenant_id),
        changed_at=found.at,
        changed_by=found.key_id,
    )
