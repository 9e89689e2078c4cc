from datetime import timedelta
from typing import Any

import pytest

from service.errors import Conflict, Malformed, NotFound
from service.record.database import Database
from service.record.incident import Incident
from service.record.incidents import IncidentFilters, get_incident, list_incidents, override_incident
from tests.record.factories import NOW, make_incident, store


async def _list(database: Database, limit: int = 100, **filters: Any) -> list[Incident]:
    found, _ = await list_incidents(database, "acme", IncidentFilters(**filters), limit=limit)
    return found


async def test_a_client_key_reads_what_it_caused(database: Database) -> None:
    incident = make_incident(key_id="key-1")
    await store(database, incident)
    assert await get_incident(database, "acme", incident.id, key_id="key-1") == incident
    with pytest.raises(NotFound):
        await get_incident(database, "acme", incident.id, key_id="key-2")


OTHER = {
    "created_at": NOW + timedelta(days=1),
    "key_id": "key-2",
    "platform": "jd",
    "shop_id": "shop-2",
    "agent_id": "agent-2",
    "categories": ("abuse", "threat"),
    "decision": "block",
    "text": "Visit SHOP_2 at 50%/off \\ now",
}


@pytest.mark.parametrize(
    ("filters", "ours", "theirs"),
    [
        ({}, True, True),
        ({"since": NOW}, True, True),
        ({"since": NOW + timedelta(microseconds=1)}, False, True),
        ({"until": NOW + timedelta(days=1)}, True, False),
        ({"until": NOW}, False, False),
        ({"platform": "jd"}, False, True),
        ({"shop_id": "shop-1"}, True, False),
        ({"agent_id": "agent-2"}, False, True),
        ({"category": "contact"}, True, False),
        ({"category": "threat"}, False, True),
        ({"category": "drugs"}, False, False),
        ({"decision": "block"}, False, True),
        ({"state": "open"}, True, True),
        ({"state": "overridden"}, False, False),
        ({"key_id": "key-2"}, False, True),
        ({"text": "微信"}, True, False),
        ({"text": "信聊😀"}, True, False),
        ({"text": "%"}, False, True),
        ({"text": "_"}, False, True),
        ({"text": "P_2"}, False, True),
        ({"text": "H_P"}, False, False),
        ({"text": "V%t"}, False, False),
        ({"text": "50%/OFF"}, False, True),
        ({"text": "\\"}, False, True),
        ({"text": "/"}, False, True),
        ({"text": "'"}, False, False),
        ({"platform": "jd", "shop_id": "shop-1"}, False, False),
        ({"platform": "jd", "shop_id": "shop-2", "category": "abuse", "text": "shop"}, False, True),
    ],
)
async def test_filters(database: Database, filters: dict[str, Any], ours: bool, theirs: bool) -> None:
    one, other = make_incident(), make_incident(**OTHER)
    await store(database, one, other, make_incident(tenant_id="stranger"))
    assert await _list(database, **filters) == [other] * theirs + [one] * ours


async def test_pages_are_newest_first_and_complete(database: Database) -> None:
    # Three of each moment, so that the id must decide within a moment.
    incidents = [make_incident(created_at=NOW + timedelta(seconds=number // 3)) for number in range(20)]
    await store(database, *incidents)
    expected = sorted(incidents, key=lambda incident: (incident.created_at, incident.id), reverse=True)
    found: list[Incident] = []
    cursor = None
    sizes = []
    while True:
        page, cursor = await list_incidents(database, "acme", limit=7, cursor=cursor)
        sizes.append(len(page))
        found += page
        if cursor is None:
            break
    assert found == expected
    assert sizes == [7, 7, 6]


async def test_a_full_last_page_has_no_cursor(database: Database) -> None:
    await store(database, make_incident(), make_incident())
    page, cursor = await list_incidents(database, "acme", limit=2)
    assert len(page) == 2
    assert cursor is None


async def test_pages_hang_together_while_incidents_arrive(database: Database) -> None:
    incidents = [make_incident(created_at=NOW + timedelta(seconds=number)) for number in range(6)]
    await store(database, *incidents)
    first, cursor = await list_incidents(database, "acme", limit=3)
    await store(database, *(make_incident(created_at=NOW + timedelta(minutes=number)) for number in range(1, 4)))
    second, _ = await list_incidents(database, "acme", limit=3, cursor=cursor)
    assert [*first, *second] == incidents[::-1]


async def test_a_broken_cursor_is_refused(database: Database) -> None:
    with pytest.raises(Malformed):
        await list_incidents(database, "acme", limit=3, cursor="x' OR 1=1")


async def test_a_warn_is_overridden_once(database: Database) -> None:
    incident = make_incident()
    await store(database, incident)
    later = NOW + timedelta(minutes=1)
    overridden = await override_incident(database, "acme", incident.id, "客户要求", later, key_id="key-1")
    assert (overridden.state, overridden.override_reason, overridden.overridden_at) == (
        "overridden",
        "客户要求",
        later,
    )
    assert await get_incident(database, "acme", incident.id) == overridden
    assert await _list(database, state="overridden") == [overridden]
    with pytest.raises(Conflict, match="overridden"):
        await override_incident(database, "acme", incident.id, "again", later)
    assert await get_incident(database, "acme", incident.id) == overridden


async def test_what_cannot_be_overridden(database: Database) -> None:
    block, warn = make_incident(decision="block"), make_incident(key_id="key-1")
    await store(database, block, warn)
    with pytest.raises(Conflict, match="block and open"):
        await override_incident(database, "acme", block.id, "why", NOW)
    with pytest.raises(NotFound):
        await override_incident(database, "acme", "nothing", "why", NOW)
    with pytest.raises(NotFound):
        await override_incident(database, "acme", warn.id, "why", NOW, key_id="key-2")
    assert await get_incident(database, "acme", warn.id) == warn
