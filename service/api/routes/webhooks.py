"""`/v1/webhook-endpoints`: who is told what happens here, and where."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from uuid_utils import uuid7

from service.api.access import Requires
from service.api.parameters import STRICT, AuditReason, Cursor, Limit, Name, Page, errors, known_query
from service.api.state import ServiceState
from service.api.webhooks import (
    EndpointBody,
    EndpointMade,
    EndpointOut,
    EndpointPatch,
    RotateBody,
    TestOut,
    audited,
    checked_envelope,
    checked_secret,
    checked_url,
    endpoint_fields,
    stored_types,
    test_out,
)
from service.errors import Malformed, Problem
from service.notify.targets import shown_url
from service.record.audit import add_entry
from service.record.endpoints import (
    Endpoint,
    add_endpoint,
    change_endpoint,
    delete_endpoint,
    get_endpoint,
    list_endpoints,
)
from service.record.keys import ApiKey

PREFIX = "/v1/webhook-endpoints"
router = APIRouter(prefix=PREFIX, tags=["webhooks"], dependencies=STRICT)
bare = APIRouter(prefix=PREFIX, tags=["webhooks"], dependencies=[Depends(known_query)])
"""Routes whose POST needs no body."""

Admin = Annotated[ApiKey, Depends(Requires("admin"))]
CHANGED = "endpoint.change"


@router.get("", responses=errors(), summary="Endpoints, oldest first")
async def index(state: ServiceState, admin: Admin, limit: Limit = 50, cursor: Cursor = None) -> Page[EndpointOut]:
    found, following = await list_endpoints(state["database"], admin.tenant_id, limit=limit, cursor=cursor)
    now = state["clock"].now()
    return Page(items=[EndpointOut(**endpoint_fields(each, now)) for each in found], next_cursor=following)


@router.post("", status_code=201, responses=errors(400, 409, 413, 415), summary="Make an endpoint")
async def create(
    state: ServiceState, admin: Admin, body: EndpointBody, reason: AuditReason, response: Response
) -> EndpointMade:
    """Tells of what happens from now on. The secret is shown once."""
    envelope, secret = checked_envelope(body.kind, body.envelope), checked_secret(body.kind, body.secret)
    url = await checked_url(state["webhooks"].sender, body.url)
    now, seal = state["clock"].now(), state["sealer"].seal
    endpoint = Endpoint(
        id=str(uuid7()),
        tenant_id=admin.tenant_id,
        kind=body.kind,
        envelope=envelope,
        url_sealed=seal(url),
        url_shown=shown_url(url, body.kind),
        events=stored_types(body.events),
        description=body.description,
        secret_sealed=seal(secret) if secret is not None else None,
        enabled=body.enabled,
        created_at=now,
        updated_at=now,
    )
    async with state["database"].write() as connection:
        await add_endpoint(connection, endpoint)
        after = audited(endpoint, now)
        await add_entry(
            connection, admin.tenant_id, admin.id, now, "endpoint.create", endpoint.id, after=after, reason=reason
        )
    response.headers["Cache-Control"] = "no-store"
    return EndpointMade(secret=secret, **endpoint_fields(endpoint, now))


@router.get("/{endpoint_id}", responses=errors(404), summary="One endpoint")
async def show(state: ServiceState, admin: Admin, endpoint_id: Name) -> EndpointOut:
    endpoint = await get_endpoint(state["database"], admin.tenant_id, endpoint_id)
    return EndpointOut(**endpoint_fields(endpoint, state["clock"].now()))


@router.patch("/{endpoint_id}", responses=errors(400, 404, 413, 415), summary="Change an endpoint")
async def patch(
    state: ServiceState, admin: Admin, endpoint_id: Name, body: EndpointPatch, reason: AuditReason
) -> EndpointOut:
    """`{"enabled": true}` puts one into service again that was switched off; what waits for it is then sent."""
    now = state["clock"].now()
    url = await checked_url(state["webhooks"].sender, body.url) if body.url is not None else None
    async with state["database"].write() as connection:
        before = await get_endpoint(connection, admin.tenant_id, endpoint_id, lock=True)
        changes = changes_of(body, before)
        if url is not None:
            changes |= {"url_sealed": state["sealer"].seal(url), "url_shown": shown_url(url, before.kind)}
        after = await change_endpoint(connection, before, now, **changes)
        await add_entry(
            connection,
            admin.tenant_id,
            admin.id,
            now,
            CHANGED,
            endpoint_id,
            before=audited(before, now),
            after=audited(after, now),
            reason=reason,
        )
    return EndpointOut(**endpoint_fields(after, now))


@router.delete("/{endpoint_id}", status_code=204, responses=errors(404), summary="Delete an endpoint")
async def delete(state: ServiceState, admin: Admin, endpoint_id: Name, reason: AuditReason) -> None:
    """Nothing more is sent to it, and its deliveries are forgotten."""
    now = state["clock"].now()
    async with state["database"].write() as connection:
        endpoint = await get_endpoint(connection, admin.tenant_id, endpoint_id, lock=True)
        await delete_endpoint(connection, endpoint, now)
        before = audited(endpoint, now)
        await add_entry(
            connection, admin.tenant_id, admin.id, now, "endpoint.delete", endpoint_id, before=before, reason=reason
        )


@bare.post("/{endpoint_id}/rotate", responses=errors(400, 404, 413, 415), summary="Change its secret")
async def rotate(
    state: ServiceState,
    admin: Admin,
    endpoint_id: Name,
    reason: AuditReason,
    response: Response,
    body: RotateBody | None = None,
) -> EndpointMade:
    """For `overlap_hours` every delivery is signed with both. A robot's secret is given, for its vendor makes it."""
    body = body or RotateBody()
    now, seal = state["clock"].now(), state["sealer"].seal
    async with state["database"].write() as connection:
        before = await get_endpoint(connection, admin.tenant_id, endpoint_id, lock=True)
        secret = checked_secret(before.kind, body.secret)
        if secret is None:
            problem = Problem("/secret", "is required: a robot's secret is made by its vendor")
            raise Malformed("There is no new secret.", problems=[problem])
        after = await change_endpoint(
            connection,
            before,
            now,
            secret_sealed=seal(secret),
            old_secret_sealed=before.secret_sealed,
            old_secret_until=now + timedelta(hours=body.overlap_hours),
        )
        what = {"overlap_hours": body.overlap_hours}
        await add_entry(
            connection, admin.tenant_id, admin.id, now, "endpoint.rotate", endpoint_id, after=what, reason=reason
        )
    response.headers["Cache-Control"] = "no-store"
    return EndpointMade(secret=secret, **endpoint_fields(after, now))


@bare.post("/{endpoint_id}/test", responses=errors(400, 404, 413, 415), summary="Send a test event now")
async def test(state: ServiceState, admin: Admin, endpoint_id: Name) -> TestOut:
    """Signed like any other, of type `endpoint.test`, sent once; also to an endpoint that is switched off."""
    endpoint = await get_endpoint(state["database"], admin.tenant_id, endpoint_id)
    return test_out(*await state["webhooks"].try_out(endpoint))


def changes_of(body: EndpointPatch, before: Endpoint) -> dict[str, Any]:
    """What a PATCH changes, but for the address."""
    changes: dict[str, Any] = {}
    if "events" in body.model_fields_set:
        changes["events"] = stored_types(body.events)
    if body.envelope is not None:
        changes["envelope"] = checked_envelope(before.kind, body.envelope)
    if body.description is not None:
        changes["description"] = body.description
    if body.enabled is not None:
        changes["enabled"] = body.enabled
        if body.enabled and not before.enabled:
            changes |= dict.fromkeys(("disabled_reason", "disabled_at", "failing_since", "not_before"))
    return changes
