"""`/livez`, `/readyz`, `/metrics`: what whoever runs the service asks. No key; nothing here speaks of a tenant."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from service.api.parameters import known_query
from service.api.problem import MEDIA_TYPE
from service.api.state import ServiceState
from service.api.vitals import RED_SECONDS
from service.errors import Unavailable

router = APIRouter(tags=["operations"], dependencies=[Depends(known_query)])

NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {
        "description": "Not ready; `detail` says what is not",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


class Alive(BaseModel):
    """The process is up."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Messages are decided and recorded, if only in the journal."""

    status: Literal["ready"] = "ready"
    engine: str
    store: str = Field(description="`reachable`, or why the database takes no incidents.", examples=["reachable"])
    journal: str = Field(description="`writable`, or why it is not.", examples=["writable"])
    waiting: int = Field(description="Entries in this process's journal that the database has not got yet.")
    set_aside: int = Field(description="Journal records that cannot be replayed and should be looked at.")


@router.head("/livez", include_in_schema=False)
@router.get("/livez", summary="Is the process up")
async def livez() -> Alive:
    return Alive()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses=NOT_READY, summary="Can messages be decided and recorded")
async def readyz(state: ServiceState) -> Ready:
    pipeline = state["pipeline"]
    if pipeline.seconds_since_failure() < RED_SECONDS:
        raise Unavailable("store: an incident could not be stored a moment ago", code="not_ready", retry_after=1)
    recording = state["recording"]
    store, journal = await recording.store_problem(), recording.journal.problem
    if store and journal:
        raise Unavailable(f"store: {store}; journal: {journal}", code="not_ready", retry_after=1)
    return Ready(
        engine=pipeline.live.engine.lexicon_version,
        store=store or "reachable",
        journal=journal or "writable",
        waiting=recording.journal.waiting,
        set_aside=recording.journal.aside.lying(),
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Figures for Prometheus",
)
async def metrics(state: ServiceState) -> Response:
    return Response(state["metrics"].text(), media_type="text/plain; version=0.0.4")
