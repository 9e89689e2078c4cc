"""`/v1/ladders/simulate`: a ladder against recorded history, before it is switched on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import partial
from time import sleep
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from service.api.access import Requires
from service.api.decode import problem_of
from service.api.parameters import STRICT, Body, Moment, errors
from service.api.parameters import Word as Given
from service.api.penalty import SanctionOut, sanction_out
from service.api.routes.incidents import Spoken
from service.api.state import ServiceState, State
from service.errors import Malformed, NotFound, Problem
from service.penalise.ladder import Ladder, Ladders
from service.penalise.load import complaints
from service.penalise.simulate import Simulation, simulate
from service.penalise.window import zone_of
from service.record.database import Database
from service.record.incident import Incident
from service.record.incidents import IncidentFilters, list_incidents
from service.record.keys import ApiKey
from service.record.shops import find_shops

router = APIRouter(prefix="/v1/ladders", tags=["penalties"], dependencies=STRICT)

Supervisor = Annotated[ApiKey, Depends(Requires("supervisor", "admin"))]
MAX_INCIDENTS = 20_000
MAX_SHOWN = 1_000
PAGE = 200
MAX_NUMBER = 100_000
MAX_DAYS = 3_660
MAX_IN_A_ROW = 60
MAX_PARTS = 200
"""Rules, lines, consequences or editions of a ladder that is sent along."""


class SimulationBody(Body):
    """Which ladder, and which history."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"ladder": "ten_point", "since": "2026-03-01T00:00:00+08:00"},
                {
                    "ladder": {
                        "scheme": "strict",
                        "name": {"zh-CN": "严格", "en": "strict"},
                        "by": "shop",
                        "editions": [
                            {
                                "id": "draft",
                                "source": "proposal of 2026-03",
                                "valid_from": "2026-01-01",
                                "full": 12,
                                "rules": [{"id": "any", "points": 3}],
                                "consequences": [{"id": "talk", "name": {"zh-CN": "约谈", "en": "a talk"}}],
                                "thresholds": [{"at_most": 6, "consequence": "talk"}],
                            }
                        ],
                    },
                    "every": True,
                },
            ]
        }
    )

    ladder: Annotated[
        Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_.-]{0,63}$")] | dict[str, Any],
        Field(description="The name of a shipped ladder, or a ladder in the shape of its file, as JSON."),
    ]
    since: Annotated[Moment | None, Field(description="Incidents made at this time or later; default 90 days ago.")] = (
        None
    )
    until: Annotated[Moment | None, Field(description="Incidents made before this time; default now.")] = None
    shop_id: Given | None = None
    agent_id: Given | None = None
    every: Annotated[
        bool, Field(description="As if every incident were upheld; else they count as they stand and as `due` says.")
    ] = False


class WouldBe(SanctionOut):
    """A sanction that there would have been. Its own id and its entry's are made up."""

    incident_id: str


class Bar(BaseModel):
    """One bar of a histogram."""

    value: int = Field(description="Score at the end of the period, or points where there is no full score.")
    accounts: int


class Period(BaseModel):
    """How scores would have fallen in one period, among those who were charged in it."""

    period: str = Field(description="`2026-03`, `2026`, or `days` for a rolling window.")
    bars: list[Bar]


class SimulationOut(BaseModel):
    """What would have been."""

    scheme: str
    since: datetime
    until: datetime
    incidents: int = Field(description="Looked at.")
    charged: int = Field(description="Of these, how many would have cost something or had a consequence.")
    accounts: int = Field(description="How many agents or shops would have been charged.")
    sanctions_total: int
    sanctions: list[WouldBe] = Field(description=f"By time, the first {MAX_SHOWN:,}.")
    histogram: list[Period]


@router.post("/simulate", responses=errors(400, 404, 413, 415), summary="Try a ladder on recorded history")
async def run(state: ServiceState, supervisor: Supervisor, spoken: Spoken, body: SimulationBody) -> SimulationOut:
    """Nothing is stored. Every account begins with nothing at `since`; what was overturned does not count, what was
    reduced counts as reduced. At most 20,000 incidents.
    """
    ladders, now = state["books"].ladders, state["clock"].now()
    ladder = ladder_of(body.ladder, ladders)
    until = body.until or now
    since = body.since or until - timedelta(days=90)
    filters = IncidentFilters(since=since, until=body.until, shop_id=body.shop_id, agent_id=body.agent_id)
    incidents = await recorded(state["database"], supervisor.tenant_id, filters)
    zones = await zones_of(state, incidents)
    # In a thread that steps aside after each incident: messages are decided meanwhile.
    told = partial(simulate, ladder, ladders, incidents, zones.__getitem__, every=body.every, breathe=partial(sleep, 0))
    found = await asyncio.to_thread(told)
    named = Ladders(schemes={**ladders.schemes, ladder.scheme: ladder}, defaults=ladders.defaults)
    return SimulationOut(
        scheme=ladder.scheme,
        since=since,
        until=until,
        incidents=len(incidents),
        charged=found.charged,
        accounts=found.accounts,
        sanctions_total=len(found.fallen),
        sanctions=[
            WouldBe(
                **sanction_out(each.sanction, named, spoken, now).model_dump(),
                incident_id=each.incident_id,
            )
            for each in found.fallen[:MAX_SHOWN]
        ],
        histogram=periods_of(found),
    )


def ladder_of(given: str | dict[str, Any], ladders: Ladders) -> Ladder:
    """Raises NotFound for a name that no ladder bears, Malformed for a ladder that contradicts itself."""
    if isinstance(given, str):
        if given not in ladders.schemes:
            raise NotFound(f"there is no ladder {given}; there are {', '.join(ladders.schemes)}")
        return ladders.schemes[given]
    problems = [Problem(f"/ladder{pointer}", detail) for pointer, detail in too_large(given, "")]
    if problems:
        raise Malformed("The ladder has numbers or lists that are too large.", problems=problems[:50])
    try:
        ladder = msgspec.convert(given, Ladder)
    except msgspec.ValidationError as error:
        place = problem_of(str(error))
        problem = Problem(f"/ladder{place.pointer}", place.detail)
        raise Malformed("The ladder is not of the documented shape.", problems=[problem]) from None
    wrong = [
        Problem("/ladder", f"{needle}: {text}; {hint}") for needle, text, hint in complaints(ladder, ladder.scheme)
    ]
    if wrong:
        raise Malformed("The ladder contradicts itself.", problems=wrong[:50])
    return ladder


def too_large(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Where a ladder asks for more than any calendar holds."""
    if isinstance(value, dict):
        for name, each in value.items():
            limit = {"days": MAX_DAYS, "cooldown_days": MAX_DAYS, "in_a_row": MAX_IN_A_ROW}.get(name, MAX_NUMBER)
            if isinstance(each, int | float) and not isinstance(each, bool) and abs(each) > limit:
                yield f"{pointer}/{name}", f"is over {limit:,}"
            yield from too_large(each, f"{pointer}/{name}")
    elif isinstance(value, list):
        if len(value) > MAX_PARTS:
            yield pointer, f"has over {MAX_PARTS} items"
        for index, each in enumerate(value[:MAX_PARTS]):
            yield from too_large(each, f"{pointer}/{index}")


async def recorded(database: Database, tenant_id: str, filters: IncidentFilters) -> list[Incident]:
    """The incidents, oldest first, read in small pages. Raises Malformed for more than MAX_INCIDENTS."""
    found: list[Incident] = []
    cursor = None
    while True:
        page, cursor = await list_incidents(database, tenant_id, filters, limit=PAGE, cursor=cursor)
        found += page
        if len(found) > MAX_INCIDENTS:
            problem = Problem("", "take a later `since`, an earlier `until`, one shop or one agent")
            raise Malformed(f"That are over {MAX_INCIDENTS:,} incidents.", problems=[problem])
        if cursor is None:
            return found[::-1]


async def zones_of(state: State, incidents: list[Incident]) -> Mapping[str, tzinfo]:
    """The time zone of each shop that occurs."""
    keys = sorted({(each.tenant_id, each.shop_id) for each in incidents})
    zones = {shop_id: zone_of("Asia/Shanghai") for _, shop_id in keys}
    for start in range(0, len(keys), PAGE):
        for (_, shop_id), shop in (await find_shops(state["database"], keys[start : start + PAGE])).items():
            zones[shop_id] = zone_of(shop.timezone)
    return zones


def periods_of(found: Simulation) -> list[Period]:
    return [
        Period(period=key, bars=[Bar(value=value, accounts=count) for value, count in bars.items()])
        for key, bars in found.histogram.items()
    ]
