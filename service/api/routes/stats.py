"""`/v1/stats`: how much was allowed, warned and blocked, for which reasons, by whom, and how fast. Read from counts by hour;
incidents are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from service.api.access import Requires
from service.api.parameters import STRICT, errors
from service.api.sheet import WantsCsv, as_sheet, sheet_response
from service.api.state import ServiceState, State
from service.api.stats import Asked, Count, Named, Row, Width, quantile, read_rows
from service.errors import Unavailable
from service.record.counter import BOUNDS_MS, NAMES
from service.record.hourly import Kind
from service.record.keys import ApiKey
from service.vocabulary import Category

router = APIRouter(prefix="/v1/stats", tags=["statistics"], dependencies=STRICT)

Supervisor = Annotated[ApiKey, Depends(Requires("supervisor", "admin"))]
Range = Annotated[Asked, Depends()]
T = TypeVar("T", bound=BaseModel)
FIRST = ("start", "name", "allowed")
"""Columns of a file that stand before the others."""
EXAMPLE: dict[str, Any] = {
    "start": "2026-03-01T00:00:00+08:00",
    "allowed": 1180,
    "warned": 31,
    "blocked": 12,
    "upheld": 9,
    "overturned": 1,
}


class Verdicts(BaseModel):
    """Incidents of one bucket."""

    start: datetime = Field(description="When the bucket begins.")
    warned: Count
    blocked: Count
    upheld: Count = Field(description="Of these, how many are upheld or reduced by now.")
    overturned: Count = Field(description="Of these, how many are overturned by now: false hits.")


class DecisionStat(Verdicts):
    """Messages of one bucket."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    allowed: Count


class NamedStat(Verdicts):
    """Incidents of one bucket with a finding of that category, or by that term."""

    name: str


class AgentStat(DecisionStat):
    """An agent's messages of one bucket."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**EXAMPLE, "name": "agent-7"}]})

    name: str


class LatencyStat(BaseModel):
    """How fast messages of one bucket were answered. Each figure is the upper bound of the range that it lies in."""

    start: datetime
    messages: Count
    p50_ms: float | None = Field(description="null: more than a second.")
    p95_ms: float | None
    p99_ms: float | None


class Stats(BaseModel, Generic[T]):
    """Buckets by time; those in which nothing was counted are left out."""

    bucket: Width
    timezone: str
    items: list[T]


def answers(what: str) -> dict[int | str, dict[str, Any]]:
    return errors() | as_sheet(what)


@router.get(
    "/decisions",
    response_model=Stats[DecisionStat],
    responses=answers("Messages by bucket"),
    summary="Messages allowed, warned and blocked",
)
async def decisions(
    state: ServiceState, supervisor: Supervisor, asked: Range, sheet: WantsCsv
) -> Stats[DecisionStat] | Response:
    rows = await counted(state, supervisor, "decision", asked)
    return answer(asked, sheet, "decisions", DecisionStat, [fields_of(row) for row in rows])


@router.get(
    "/categories",
    response_model=Stats[NamedStat],
    responses=answers("Categories by bucket"),
    summary="Incidents by category",
)
async def categories(
    state: ServiceState, supervisor: Supervisor, asked: Range, sheet: WantsCsv, category: Category | None = None
) -> Stats[NamedStat] | Response:
    """An incident counts once in each category among its findings."""
    rows = await counted(state, supervisor, "category", asked, category)
    return answer(asked, sheet, "categories", NamedStat, [fields_of(row) for row in rows])


@router.get(
    "/terms", response_model=Stats[NamedStat], responses=answers("Terms by bucket"), summary="Incidents by term"
)
async def terms(
    state: ServiceState, supervisor: Supervisor, asked: Range, sheet: WantsCsv, term_id: Named = None
) -> Stats[NamedStat] | Response:
    """Which terms hit, and how often they were wrong. An incident counts once for each term among its findings."""
    rows = await counted(state, supervisor, "term", asked, term_id)
    return answer(asked, sheet, "terms", NamedStat, [fields_of(row) for row in rows])


@router.get(
    "/agents", response_model=Stats[AgentStat], responses=answers("Agents by bucket"), summary="Messages by agent"
)
async def agents(
    state: ServiceState, supervisor: Supervisor, asked: Range, sheet: WantsCsv, agent_id: Named = None
) -> Stats[AgentStat] | Response:
    rows = await counted(state, supervisor, "agent", asked, agent_id)
    return answer(asked, sheet, "agents", AgentStat, [fields_of(row) for row in rows])


@router.get(
    "/latency",
    response_model=Stats[LatencyStat],
    responses=answers("Latencies by bucket"),
    summary="How long answers took",
)
async def latency(
    state: ServiceState, supervisor: Supervisor, asked: Range, sheet: WantsCsv
) -> Stats[LatencyStat] | Response:
    """From request to answer, over all messages that were moderated."""
    rows = await counted(state, supervisor, "latency", asked)
    return answer(asked, sheet, "latency", LatencyStat, latencies_of(rows))


async def counted(state: State, supervisor: ApiKey, kind: Kind, asked: Asked, name: str | None = None) -> list[Row]:
    """The counts, with what this process has counted up to now."""
    try:
        await state["counter"].flush()
    except Unavailable as error:
        # Reading will say the same, unless it was only writing that failed.
        state["log"].warning("counts_not_written", reason=error.detail)
    return await read_rows(state["database"], supervisor.tenant_id, kind, asked, state["clock"].now(), name)


def fields_of(row: Row) -> dict[str, Any]:
    allowed, warned, blocked, upheld, overturned = row.numbers
    return {
        "start": row.start,
        "name": row.name,
        "allowed": allowed,
        "warned": warned,
        "blocked": blocked,
        "upheld": upheld,
        "overturned": overturned,
    }


def latencies_of(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """One line for each bucket, from the counts by upper bound."""
    by_start: dict[datetime, list[int]] = {}
    for row in rows:
        by_start.setdefault(row.start, [0] * len(NAMES))[NAMES.index(row.name)] += sum(row.numbers[:3])
    return [
        {
            "start": start,
            "messages": sum(counts),
            **{f"p{share}_ms": quantile(counts, BOUNDS_MS, share / 100) for share in (50, 95, 99)},
        }
        for start, counts in by_start.items()
    ]


def answer(asked: Asked, sheet: bool, name: str, kind: type[T], rows: Sequence[dict[str, Any]]) -> Stats[T] | Response:
    """As JSON, or as a file whose columns are the fields."""
    if sheet:
        fields = list(kind.model_fields)
        columns = [each for each in FIRST if each in fields] + [each for each in fields if each not in FIRST]
        return sheet_response(name, columns, ([row[column] for column in columns] for row in rows))
    items = [kind.model_validate(row) for row in rows]
    return Stats[T](bucket=asked.bucket, timezone=asked.timezone, items=items)
