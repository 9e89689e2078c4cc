"""`/v1/audit`: every change through an admin route, with key, time, before and after."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from service.api.access import Requires
from service.api.parameters import STRICT, Cursor, Limit, Page, errors
from service.api.state import ServiceState
from service.record.audit import list_entries
from service.record.keys import ApiKey

router = APIRouter(prefix="/v1/audit", tags=["audit"], dependencies=STRICT)

Admin = Annotated[ApiKey, Depends(Requires("admin"))]


class AuditOut(BaseModel):
    """One change."""

    id: str
    at: datetime
    key_id: str = Field(description="The API key that made the change.")
    action: str = Field(description="Such as `shop.put`.")
    target: str = Field(description="The id of what was changed.")
    before: Any = Field(description="null when it is new.")
    after: Any = Field(description="null when it was deleted.")
    reason: str | None = Field(description="`X-Audit-Reason` of the request.")


@router.get("", responses=errors(), summary="Changes, newest first")
async def index(state: ServiceState, admin: Admin, limit: Limit = 50, cursor: Cursor = None) -> Page[AuditOut]:
    found, following = await list_entries(state["database"], admin.tenant_id, limit=limit, cursor=cursor)
    return Page(items=[AuditOut(**msgspec.structs.asdict(entry)) for entry in found], next_cursor=following)
