"""`/v1/keys`: who may use the service. A key is shown once, when it is made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from service.api.access import RATE_LIMIT, Requires
from service.api.parameters import STRICT, AuditReason, Body, Cursor, Limit, Name, Page, Word, errors
from service.api.state import ServiceState
from service.errors import Conflict
from service.record.audit import add_entry
from service.record.cursor import key_cursor, read_key_cursor
from service.record.keys import ApiKey, Role, create_key, list_keys, revoke_key

router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=STRICT)

Admin = Annotated[ApiKey, Depends(Requires("admin"))]


class NewKey(Body):
    """A key to be made."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "chat desk", "role": "client", "rate_limit": "100/second"}]}
    )

    name: Word
    role: Role
    rate_limit: Annotated[
        str | None,
        Field(
            pattern=RATE_LIMIT,
            description="Such as `100/second`; null: none.",
        ),
    ] = None


class KeyOut(BaseModel):
    """What is known of a key."""

    id: str
    name: str
    role: Role
    rate_limit: str | None
    created_at: datetime
    revoked_at: datetime | None


class KeyMade(KeyOut):
    """The same, with the key itself, which can be had only now."""

    key: str


@router.get("", responses=errors(), summary="Keys, oldest first, revoked ones too")
async def index(state: ServiceState, admin: Admin, limit: Limit = 50, cursor: Cursor = None) -> Page[KeyOut]:
    keys = await list_keys(state["database"], admin.tenant_id)
    after = tuple(read_key_cursor(cursor, 2)) if cursor else ("", "")
    rest = [key for key in keys if position(key) > after]
    following = key_cursor(*position(rest[limit - 1])) if len(rest) > limit else None
    return Page(items=[KeyOut(**fields(key)) for key in rest[:limit]], next_cursor=following)


@router.post("", status_code=201, responses=errors(400, 413, 415), summary="Make a key")
async def create(state: ServiceState, admin: Admin, body: NewKey, reason: AuditReason, response: Response) -> KeyMade:
    now = state["clock"].now()
    async with state["database"].write() as connection:
        key, plain = await create_key(connection, admin.tenant_id, body.name, body.role, body.rate_limit, now)
        await add_entry(connection, admin.tenant_id, admin.id, now, "key.create", key.id, after=key, reason=reason)
    response.headers["Cache-Control"] = "no-store"
    return KeyMade(key=plain, **fields(key))


@router.delete("/{key_id}", status_code=204, responses=errors(404, 409), summary="Revoke a key")
async def revoke(state: ServiceState, admin: Admin, key_id: Name, reason: AuditReason) -> None:
    """Void from now on in this process, within three seconds in the others."""
    if key_id == admin.id:
        raise Conflict("a key can't revoke itself; make another admin key and use that", code="own_key")
    now = state["clock"].now()
    async with state["database"].write() as connection:
        key = await revoke_key(connection, admin.tenant_id, key_id, now)
        before = msgspec.structs.replace(key, revoked_at=None)
        await add_entry(
            connection,
            admin.tenant_id,
            admin.id,
            now,
            "key.revoke",
            key_id,
            before=before,
            after=key,
            reason=reason,
        )
    state["keys"].forget()


def position(key: ApiKey) -> tuple[str, str]:
    return key.created_at.isoformat(), key.id


def fields(key: ApiKey) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(key).items() if name != "tenant_id"}
