"""Incidents that wait in the journal: they were promised, so nobody hears that there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.api.state import State
from service.errors import NotFound, Unavailable
from service.record.incident import Incident
from service.record.incidents import get_incident
from service.record.outcome import Recorded

RETRY_SECONDS = 1.0


async def find_incident(
    state: State, tenant_id: str, incident_id: str, key_id: str | None
) -> tuple[Incident, Recorded]:
    """The tenant's incident, and where it is; with `key_id` only if that key caused it. Raises NotFound, Unavailable."""
    recording = state["recording"]
    # First, for it may go from here to the database meanwhile, but not the other way.
    waiting = _only(recording.journal.incident(tenant_id, incident_id), key_id)
    if waiting is not None and not recording.writer.breaker.is_closed:
        return waiting, "journal"
    try:
        return await get_incident(state["database"], tenant_id, incident_id, key_id=key_id), "database"
    except (NotFound, Unavailable):
        waiting = waiting or _only(await recording.journal.look(tenant_id, incident_id), key_id)
        if waiting is None:
            raise
        return waiting, "journal"


def _only(incident: Incident | None, key_id: str | None) -> Incident | None:
    return incident if incident is not None and key_id in (None, incident.key_id) else None


@asynccontextmanager
async def unless_waiting(state: State, tenant_id: str, incident_id: str) -> AsyncIterator[None]:
    """For what can be done to an incident in the database only. Raises Unavailable for one that will be there soon, where
    the block raises NotFound.
    """
    try:
        yield
    except NotFound:
        journal = state["recording"].journal
        if journal.incident(tenant_id, incident_id) or await journal.look(tenant_id, incident_id):
            raise Unavailable(
                f"incident {incident_id} waits in the journal for the database; try again", retry_after=RETRY_SECONDS
            ) from None
        raise
