"""Simulations, without a service: cool-downs, states, platforms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from service.penalise.ladder import Ladder
from service.penalise.load import load_ladders
from service.penalise.simulate import Simulation, simulate
from service.penalise.window import SHANGHAI
from service.record.incident import Incident
from service.settings import shipped_lexicons
from tests.record.factories import NOW, make_incident

LADDERS = load_ladders(shipped_lexicons())
COOLING = msgspec.convert(
    {
        "scheme": "cooling",
        "name": {},
        "by": "shop",
        "editions": [
            {
                "id": "1",
                "source": "made up",
                "valid_from": "2021-01-01",
                "rules": [{"id": "any", "consequence": "talk"}],
                "consequences": [{"id": "talk", "name": {}, "cooldown_days": 3}],
            }
        ],
    },
    Ladder,
)


def on_day(day: int, **changes: Any) -> Incident:
    at = NOW + timedelta(days=day)
    return make_incident(**{"created_at": at, "sent_at": at, "decision": "block", "platform": "generic"} | changes)


def told(ladder: Ladder, *incidents: Incident, every: bool = False) -> Simulation:
    return simulate(ladder, LADDERS, incidents, lambda _: SHANGHAI, every=every)


def test_cooling_down() -> None:
    incidents = [on_day(day) for day in (0, 1, 2, 3, 5, 6, 20)]
    fallen = told(COOLING, *incidents).fallen
    assert [each.incident_id for each in fallen] == [incidents[place].id for place in (0, 3, 5, 6)]


def test_others_may_work_after_each_incident() -> None:
    breaths = []
    incidents = [on_day(day) for day in range(7)]
    simulate(COOLING, LADDERS, incidents, lambda _: SHANGHAI, breathe=lambda: breaths.append(1))
    assert len(breaths) == 7


@pytest.mark.parametrize(
    ("changes", "at_once", "waiting"),
    [
        ({}, 1, 0),
        ({"decision": "warn"}, 0, 0),
        ({"decision": "warn", "state": "overridden", "overridden_at": NOW}, 1, 0),
        ({"decision": "warn", "state": "upheld", "reviewed_at": NOW}, 1, 1),
        ({"state": "reduced", "reduced_to": "low", "reviewed_at": NOW}, 1, 1),
        ({"state": "appealed"}, 1, 0),
        ({"state": "appealed", "reviewed_at": NOW}, 1, 1),
        ({"state": "overturned", "reviewed_at": NOW}, 0, 0),
    ],
)
def test_incidents_count_as_they_stand(changes: dict[str, Any], at_once: int, waiting: int) -> None:
    incident = on_day(0, **changes)
    assert told(COOLING, incident).charged == at_once
    assert told(LADDERS.schemes["kpi"], incident).charged == waiting
    assert told(COOLING, incident, every=True).charged == (incident.state != "overturned")


def test_a_marketplace_judges_its_own() -> None:
    incidents = [on_day(0, platform=platform, categories=("abuse",), findings=()) for platform in ("tmall", "jd")]
    found = told(LADDERS.schemes["taobao"], *incidents)
    assert (found.charged, [each.incident_id for each in found.fallen]) == (1, [incidents[0].id])
    assert found.histogram == {"2026": {0: 1}}
