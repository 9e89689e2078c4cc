"""What an answer has promised is never said not to be there: incidents that wait, and those under another id."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from service.record.aliases import add_aliases
from service.record.journal.journal import Journal
from service.record.storing import Entry
from service.settings import Settings
from tests.api.conftest import BLOCKED, Running, message
from tests.record.factories import NOW, make_incident
from tests.record.faults import Faults, until

REVIEW = {"verdict": "upheld", "note": "x"}


async def test_an_incident_that_waits_is_found_and_not_changed_yet(
    service: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults, recording = Faults(service.state["database"]), service.state["recording"]
    cause, another = [await _client_key(service, client) for _ in range(2)]
    faults.down = True
    with monkeypatch.context() as patched:
        patched.setattr(recording.writer.breaker, "may_ask", lambda: False)
        async with service.as_key(cause) as own:
            made = (await own.post("/v1/moderate", json=message(BLOCKED))).json()
            url = f"/v1/incidents/{made['incident_id']}"
            assert made["recorded"] == "journal"
            assert (await own.get(url)).json()["recorded"] == "journal"
        waiting = (await client.get(url)).json()
        assert (waiting["recorded"], waiting["state"], waiting["decision"]) == ("journal", "open", "block")
        async with service.as_key(another) as stranger:
            assert (await stranger.get(url)).status_code == 404
        faults.down = False
        for way, body in (
            ("override", {"reason": "x"}),
            ("appeal", {"reason": "x"}),
            ("review", REVIEW),
            ("claim", {}),
        ):
            refused = await client.post(f"{url}/{way}", json=body)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1"), way
        assert (await client.get(f"{url}/history")).status_code == 503
        assert (await client.post("/v1/incidents/nobody/claim", json={})).status_code == 404
    await until(lambda: recording.writer.breaker.is_closed)
    found = (await client.get(url)).json()
    assert found == waiting | {"recorded": "database"}


async def test_an_incident_that_waits_in_another_process_is_found(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    incident, foreign = make_incident(tenant_id="default"), make_incident(tenant_id="other")
    incident = msgspec.structs.replace(incident, findings=())
    journal = Journal(settings.journal_dir, 1 << 20)
    await journal.open()
    await journal.append([Entry(foreign), Entry(incident)], NOW)
    found = await client.get(f"/v1/incidents/{incident.id}")
    assert (found.json()["id"], found.json()["recorded"]) == (incident.id, "journal")
    assert (await client.post(f"/v1/incidents/{incident.id}/review", json=REVIEW)).status_code == 503
    assert (await client.get(f"/v1/incidents/{foreign.id}")).status_code == 404
    await journal.confirm(journal.take(2))
    await journal.close()
    assert (await client.get(f"/v1/incidents/{incident.id}")).status_code == 404


async def test_another_id_is_as_good_as_its_own(service: Running, client: httpx.AsyncClient) -> None:
    made = (await client.post("/v1/moderate", json=message(BLOCKED))).json()["incident_id"]
    alias = make_incident(tenant_id="default")
    async with service.state["database"].write() as connection:
        await add_aliases(connection, {alias.id: made}, [alias])
    assert (await client.post(f"/v1/incidents/{alias.id}/appeal", json={"reason": "x"})).json()["id"] == made
    assert (await client.post(f"/v1/incidents/{made}/appeal", json={"reason": "x"})).status_code == 409
    assert (await client.post(f"/v1/incidents/{alias.id}/review", json=REVIEW)).json()["state"] == "upheld"
    by_alias, by_own = [(await client.get(f"/v1/incidents/{each}/history")).json() for each in (alias.id, made)]
    assert by_alias == by_own
    assert (by_own["appeal"]["reason"], len(by_own["reviews"])) == ("x", 1)


async def _client_key(service: Running, client: httpx.AsyncClient) -> str:
    """A key of the role client that the service has seen."""
    key: str = (await client.post("/v1/keys", json={"name": "x", "role": "client"})).json()["key"]
    async with service.as_key(key) as own:
        await own.post("/v1/analyze", json=message())
    return key
