"""`/v1/webhook-endpoints/{endpoint_id}/deliveries`: what was sent, what came back, and sending it again."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query

from service.api.access import Requires
from service.api.parameters import AuditReason, Cursor, Limit, Name, Page, errors, known_query
from service.api.state import ServiceState
from service.api.webhooks import DeliveryDetail, DeliveryOut, delivery_fields
from service.errors import Conflict
from service.record.audit import add_entry
from service.record.deliveries import State, get_delivery, list_deliveries, send_again
from service.record.endpoints import get_endpoint
from service.record.keys import ApiKey

router = APIRouter(
    prefix="/v1/webhook-endpoints/{endpoint_id}/deliveries", tags=["webhooks"], dependencies=[Depends(known_query)]
)

Admin = Annotated[ApiKey, Depends(Requires("admin"))]
StateQuery = Annotated[State | None, Query(description="Only those that are so now.")]


@router.get("", responses=errors(404), summary="Deliveries, newest first")
async def index(
    service: ServiceState,
    admin: Admin,
    endpoint_id: Name,
    state: StateQuery = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DeliveryOut]:
    database = service["database"]
    await get_endpoint(database, admin.tenant_id, endpoint_id)
    found, following = await list_deliveries(database, admin.tenant_id, endpoint_id, state, limit=limit, cursor=cursor)
    return Page(items=[DeliveryOut(**delivery_fields(each)) for each in found], next_cursor=following)


@router.get("/{delivery_id}", responses=errors(404), summary="One delivery, with what is sent")
async def show(state: ServiceState, admin: Admin, endpoint_id: Name, delivery_id: Name) -> DeliveryDetail:
    await get_endpoint(state["database"], admin.tenant_id, endpoint_id)
    delivery, body = await get_delivery(state["database"], admin.tenant_id, endpoint_id, delivery_id)
    return DeliveryDetail(data=msgspec.json.decode(body), **delivery_fields(delivery))


@router.post("/{delivery_id}/retry", responses=errors(400, 404, 409, 413, 415), summary="Send it again")
async def retry(
    state: ServiceState, admin: Admin, endpoint_id: Name, delivery_id: Name, reason: AuditReason
) -> DeliveryOut:
    """At once, with the same `webhook-id`, whatever became of it before; then by the schedule, from its beginning."""
    now = state["clock"].now()
    async with state["database"].write() as connection:
        endpoint = await get_endpoint(connection, admin.tenant_id, endpoint_id, lock=True)
        if not endpoint.enabled:
            raise Conflict(f"endpoint {endpoint_id} is switched off; enable it first", code="endpoint_disabled")
        delivery, _ = await get_delivery(connection, admin.tenant_id, endpoint_id, delivery_id)
        await send_again(connection, delivery, now)
        again, _ = await get_delivery(connection, admin.tenant_id, endpoint_id, delivery_id)
        before = {"state": delivery.state}
        await add_entry(
            connection, admin.tenant_id, admin.id, now, "delivery.retry", delivery_id, before=before, reason=reason
        )
    return DeliveryOut(**delivery_fields(again))
