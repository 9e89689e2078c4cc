"""`/v1/connections`: the chat tools that call us, one for each account; and which tools there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils import uuid7

from service.api.access import Requires
from service.api.connection import (
    CallOut,
    ConnectionChange,
    ConnectionMade,
    ConnectionOut,
    NewConnection,
    Rotation,
    bare,
    fields,
    new_token,
    opened,
    secret_of,
    settings_of,
    tool_of,
    url_of,
)
from service.api.parameters import STRICT, AuditReason, Cursor, Limit, Name, Page, errors
from service.api.state import ServiceState, State
from service.errors import Malformed, Problem
from service.record.audit import add_entry
from service.record.calls import last_calls
from service.record.connections import (
    Connection,
    add_connection,
    change_connection,
    delete_connection,
    get_connection,
    list_connections,
)
from service.record.keys import ApiKey

router = APIRouter(prefix="/v1/connections", tags=["connections"], dependencies=STRICT)

Admin = Annotated[ApiKey, Depends(Requires("admin"))]


@router.get("", responses=errors(), summary="Connections, newest first")
async def index(state: ServiceState, admin: Admin, limit: Limit = 50, cursor: Cursor = None) -> Page[ConnectionOut]:
    found, following = await list_connections(state["database"], admin.tenant_id, limit=limit, cursor=cursor)
    return Page(items=[ConnectionOut(**fields(each)) for each in found], next_cursor=following)


@router.post("", status_code=201, responses=errors(400, 413, 415), summary="Connect a chat tool")
async def create(
    request: Request, state: ServiceState, admin: Admin, body: NewConnection, reason: AuditReason, response: Response
) -> ConnectionMade:
    """The answer has the address to put into the tool. The secret is kept sealed and never shown again."""
    tool, sealer = tool_of(body.provider), state["sealer"]
    settings, secret = settings_of(tool, body.settings), secret_of(tool, body.secret)
    connection = Connection(
        id=str(uuid7()),
        tenant_id=admin.tenant_id,
        settings=settings,
        secret=sealer.seal(secret) if secret is not None else None,
        token=sealer.seal(new_token()),
        created_at=state["clock"].now(),
        **body.model_dump(exclude={"settings", "secret"}),
    )
    async with state["database"].write() as store:
        await add_connection(store, connection)
        await note(store, state, admin, "connection.create", connection.id, reason, after=connection)
    return await made(request, state, connection, response)


@router.get("/{connection_id}", responses=errors(404), summary="One connection")
async def show(state: ServiceState, admin: Admin, connection_id: Name) -> ConnectionOut:
    return ConnectionOut(**fields(await get_connection(state["database"], admin.tenant_id, connection_id)))


@router.patch("/{connection_id}", responses=errors(400, 404, 413, 415), summary="Change a connection")
async def change(
    request: Request,
    state: ServiceState,
    admin: Admin,
    connection_id: Name,
    body: ConnectionChange,
    reason: AuditReason,
    response: Response,
) -> ConnectionMade:
    """In force everywhere within a second."""
    changes = body.model_dump(exclude_unset=True)
    if empty := [name for name, value in changes.items() if value is None and name != "deadline_ms"]:
        raise Malformed("Leave out what is to stay.", problems=[Problem(f"/{name}", "can't be null") for name in empty])
    async with state["database"].write() as store:
        before = await get_connection(store, admin.tenant_id, connection_id, lock=True)
        if body.settings is not None:
            changes["settings"] = settings_of(tool_of(before.provider), body.settings)
        after = await change_connection(store, before, **changes)
        await note(store, state, admin, "connection.change", connection_id, reason, before=before, after=after)
    return await made(request, state, after, response)


@router.delete("/{connection_id}", status_code=204, responses=errors(404), summary="Forget a connection")
async def delete(state: ServiceState, admin: Admin, connection_id: Name, reason: AuditReason) -> None:
    """Its calls are answered 404 within a second. Its incidents stay."""
    async with state["database"].write() as store:
        before = await delete_connection(store, admin.tenant_id, connection_id)
        await note(store, state, admin, "connection.delete", connection_id, reason, before=before)
    await state["hooks"].connections.look_again()


@router.post("/{connection_id}/rotate", responses=errors(400, 404, 413, 415), summary="Give it a new secret")
async def rotate(
    request: Request,
    state: ServiceState,
    admin: Admin,
    connection_id: Name,
    body: Rotation,
    reason: AuditReason,
    response: Response,
) -> ConnectionMade:
    """The old secret is taken beside the new one until the overlap ends, so that the tool can be changed meanwhile."""
    if body.secret is None and not body.token:
        raise Malformed(
            "There is nothing to rotate.", problems=[Problem("/secret", "give a new one, or `token: true`")]
        )
    now, sealer = state["clock"].now(), state["sealer"]
    async with state["database"].write() as store:
        before = await get_connection(store, admin.tenant_id, connection_id, lock=True)
        changes: dict[str, Any] = {"previous_until": now + timedelta(seconds=body.overlap_seconds)}
        changes |= {"previous_secret": before.secret, "previous_token": before.token}
        if body.secret is not None:
            secret = secret_of(tool_of(before.provider), body.secret)
            changes["secret"] = sealer.seal(secret) if secret is not None else None
        if body.token:
            changes["token"] = sealer.seal(new_token())
        after = await change_connection(store, before, **changes)
        await note(store, state, admin, "connection.rotate", connection_id, reason, before=before, after=after)
    return await made(request, state, after, response)


@router.get("/{connection_id}/calls", responses=errors(404), summary="Its last 50 calls, newest first")
async def calls(state: ServiceState, admin: Admin, connection_id: Name) -> list[CallOut]:
    """What became of each and why; never a text. Those of another worker show up after a second."""
    await get_connection(state["database"], admin.tenant_id, connection_id)
    await state["hooks"].journal.flush()
    found = await last_calls(state["database"], connection_id)
    return [CallOut(**{name: getattr(each, name) for name in CallOut.model_fields}) for each in found]


async def made(request: Request, state: State, connection: Connection, response: Response) -> ConnectionMade:
    """The connection as it now is, in force in this process at once."""
    await state["hooks"].connections.look_again()
    response.headers["Cache-Control"] = "no-store"
    return ConnectionMade(url=url_of(request, opened(connection, state["sealer"])), **fields(connection))


async def note(
    store: AsyncConnection,
    state: State,
    admin: ApiKey,
    action: str,
    target: str,
    reason: str | None,
    *,
    before: Connection | None = None,
    after: Connection | None = None,
) -> None:
    """A line in the audit log."""
    told: Mapping[str, Any] = {"before": before and bare(before), "after": after and bare(after)}
    at = state["clock"].now()
    await add_entry(store, admin.tenant_id, admin.id, at, action, target, reason=reason, **msgspec.to_builtins(told))
