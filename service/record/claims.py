"""Claims: who has taken an incident to decide, and until when. Others can't decide it meanwhile."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, update

from service.errors import Conflict
from service.record import schema
from service.record.database import Store, writing
from service.record.incident import Incident
from service.record.incidents import get_incident, incident_of_row

_table = schema.incidents


async def claim_incident(
    store: Store, tenant_id: str, incident_id: str, key_id: str, at: datetime, until: datetime
) -> Incident:
    """Takes the incident until `until`; whoever has it already extends the time. Returns it as it is then.

    Raises NotFound, and Conflict `claimed` while another key has it.
    """
    free = or_(_table.c.claimed_by.is_(None), _table.c.claimed_by == key_id, _table.c.claimed_until <= at)
    change = (
        update(_table)
        .where(_table.c.tenant_id == tenant_id, _table.c.id == incident_id, free)
        .values(claimed_by=key_id, claimed_until=until)
        .returning(_table)
    )
    async with writing(store) as connection:
        row = (await connection.execute(change)).one_or_none()
        if row is not None:
            return incident_of_row(row)
        incident = await get_incident(connection, tenant_id, incident_id)
        if incident.id != incident_id:
            return await claim_incident(connection, tenant_id, incident.id, key_id, at, until)
        raise claimed_by_another(incident)


async def release_incident(store: Store, tenant_id: str, incident_id: str, key_id: str, at: datetime) -> Incident:
    """Gives the incident back before its time.

    Raises NotFound, Conflict `claimed` while another key has it, and `not_claimed` when nobody has.
    """
    async with writing(store) as connection:
        incident = await get_incident(connection, tenant_id, incident_id)
        claimant = incident.claimant(at)
        if claimant is None:
            raise Conflict(f"incident {incident_id} is {incident.state} and nobody has claimed it", code="not_claimed")
        own = (_table.c.tenant_id == tenant_id, _table.c.id == incident.id, _table.c.claimed_by == key_id)
        change = update(_table).where(*own).values(claimed_by=None, claimed_until=None).returning(_table)
        row = (await connection.execute(change)).one_or_none()
        if row is None:
            raise claimed_by_another(incident)
        return incident_of_row(row)


def claimed_by_another(incident: Incident) -> Conflict:
    """The refusal while another reviewer has it."""
    until = f" until {incident.claimed_until:%Y-%m-%dT%H:%M:%SZ}" if incident.claimed_until else ""
    return Conflict(
        f"incident {incident.id} is {incident.state} and claimed by key {incident.claimed_by}{until}; "
        "wait until it is decided or the claim runs out",
        code="claimed",
    )
