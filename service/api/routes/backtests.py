"""`/v1/lexicons/{name}/backtest` and `/v1/jobs`: what a draft would have done to real messages, before it does it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from service.api.parameters import STRICT, Body, Moment, Name, errors
from service.api.routes.lexicons import Editor, LexiconName, refuse_shipped
from service.api.state import ServiceState
from service.errors import Malformed, Problem
from service.record.jobs import Job, get_job
from service.record.lexicons import get_lexicon
from service.text.message import MAX_TEXT
from service.vocabulary import Channel, Platform
from service.workbench import Source, read_samples

router = APIRouter(prefix="/v1", tags=["lexicons"], dependencies=STRICT)

LARGE_BODY = 64 * 1024
"""Bytes from which on a body is read by the workbench."""
SILENT = timedelta(seconds=60)
"""A job that nobody was heard of for so long is lost."""


class SampleBody(Body):
    """A message to try."""

    text: Annotated[str, Field(max_length=MAX_TEXT)]
    platform: Platform = "generic"
    channel: Channel = "chat"


class BacktestBody(Body):
    """Messages of one's own, or what was recorded."""

    messages: Annotated[list[SampleBody] | None, Field(min_length=1, max_length=200_000)] = None
    source: Annotated[
        Source | None, Field(description="incidents: what was warned or blocked; sample: what was allowed and sampled.")
    ] = None
    since: Annotated[Moment | None, Field(description="Of a source; null: all that is kept.")] = None


def schema_of_body() -> dict[str, Any]:
    """What OpenAPI says of it."""
    schema = BacktestBody.model_json_schema(ref_template="{model}")
    sample = schema.pop("$defs")["SampleBody"]
    schema["properties"]["messages"]["anyOf"][0]["items"] = sample
    return schema


def read_small(data: bytes) -> BacktestBody:
    """Raises RequestValidationError, as the framework would."""
    try:
        return BacktestBody.model_validate_json(data)
    except ValidationError as error:
        places = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
        raise RequestValidationError(places) from None


class JobOut(BaseModel):
    """A job and how far it is."""

    id: str
    kind: str
    state: Literal["queued", "running", "done", "failed"]
    progress: float = Field(description="0 to 1.")
    done: int
    total: int
    result: Any = Field(description="When it is done: see the how-to about campaigns.")
    problem: str | None = Field(description="Why it failed.")
    created_at: datetime
    finished_at: datetime | None


@router.post(
    "/lexicons/{name}/backtest",
    status_code=202,
    responses=errors(400, 404, 409, 413, 415),
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": schema_of_body()}}}},
    summary="Try the draft on real messages",
)
async def start(request: Request, state: ServiceState, editor: Editor, name: LexiconName, response: Response) -> JobOut:
    """In the background, in a process of its own; `Location` leads to the job."""
    refuse_shipped(name)
    data = await request.body()
    if len(data) >= LARGE_BODY:
        # Taking it apart would hold up whoever waits for a decision here, so it goes there as it is.
        await get_lexicon(state["database"], editor.tenant_id, name)
        await state["jobs"].workbench.run(read_samples, data)
        job = await state["jobs"].backtest(editor.tenant_id, editor.id, name, data, "incidents", None)
        response.headers["Location"] = f"/v1/jobs/{job.id}"
        return job_out(job, state["clock"].now())
    body = read_small(data)
    if (body.messages is None) == (body.source is None):
        raise Malformed(
            "A backtest needs messages.", problems=[Problem("", "needs exactly one of messages and source")]
        )
    await get_lexicon(state["database"], editor.tenant_id, name)
    uploaded = None if body.messages is None else data
    job = await state["jobs"].backtest(
        editor.tenant_id, editor.id, name, uploaded, body.source or "incidents", body.since
    )
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job_out(job, state["clock"].now())


@router.get("/jobs/{job_id}", responses=errors(404), summary="How far a job is, and what came of it")
async def show(state: ServiceState, editor: Editor, job_id: Name) -> JobOut:
    return job_out(await get_job(state["database"], editor.tenant_id, job_id), state["clock"].now())


def job_out(job: Job, now: datetime) -> JobOut:
    lost = job.finished_at is None and now - job.seen_at > SILENT
    return JobOut(
        id=job.id,
        kind=job.kind,
        state="failed" if lost else job.state,
        progress=1.0 if job.state == "done" else job.done / job.total if job.total else 0.0,
        done=job.done,
        total=job.total,
        result=msgspec.json.decode(job.result) if job.result else None,
        problem="the process that worked on it is gone; start it again" if lost else job.problem,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
