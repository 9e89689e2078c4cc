"""The same message tried again and again is one incident with a count: nobody pays twice for pressing a key twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from sqlalchemy import bindparam, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.record import schema
from service.record.incident import Incident

_table = schema.incidents


def repeat_key(incident: Incident, text: str, payloads: Sequence[str]) -> str | None:
    """Equal for the same words and pictures of one agent to one customer with the same decision; None where nobody
    says which customer or conversation it is, for then it may as well be another one.

    `text` is as typed, `payloads` what codes in pictures say. SHA-256, hexadecimal.
    """
    if incident.conversation_id is None and incident.customer_id is None:
        return None
    who = (incident.platform, incident.channel, incident.shop_id, incident.agent_id)
    whom = (incident.conversation_id, incident.customer_id)
    return sha256(
        msgspec.json.encode((incident.decision, who, whom, " ".join(text.split()), list(payloads)))
    ).hexdigest()


async def count_repeats(
    connection: AsyncConnection, incidents: Sequence[Incident], seconds: float
) -> tuple[list[Incident], dict[str, str]]:
    """Those `incidents` that are new, and of the others the id of the incident that they are one more attempt at.

    An attempt belongs to an incident that is still open and was tried within `seconds` before, be it stored, where it
    is counted, or further to the front in `incidents`. The accounts of their agents must be locked.
    """
    span = timedelta(seconds=seconds)
    keyed = [each for each in incidents if each.repeat_key is not None] if seconds > 0 else []
    last = await _last_attempts(connection, keyed, min(each.created_at for each in keyed) - span) if keyed else {}
    fresh: dict[str, Incident] = {}
    repeats: dict[str, str] = {}
    counts: dict[tuple[str, str], tuple[int, datetime]] = {}
    for each in incidents:
        key = (each.tenant_id, each.repeat_key or "")
        earlier = last.get(key) if each.repeat_key is not None else None
        if earlier is None or earlier[0] == each.id or abs(each.created_at - earlier[1]) > span:
            fresh[each.id] = each
            last[key] = (each.id, each.created_at)
            continue
        at = max(each.created_at, earlier[1])
        repeats[each.id] = earlier[0]
        last[key] = (earlier[0], at)
        counts[each.tenant_id, earlier[0]] = (counts.get((each.tenant_id, earlier[0]), (0, at))[0] + 1, at)
    for (tenant_id, incident_id), (count, at) in sorted(counts.items()):
        if incident_id in fresh:
            fresh[incident_id] = msgspec.structs.replace(fresh[incident_id], attempts=1 + count, last_attempt_at=at)
            continue
        own = (_table.c.tenant_id == tenant_id, _table.c.id == incident_id)
        change = update(_table).where(*own).values(attempts=_table.c.attempts + count, last_attempt_at=at)
        await connection.execute(change)
    return list(fresh.values()), repeats


async def _last_attempts(
    connection: AsyncConnection, incidents: Sequence[Incident], since: datetime
) -> dict[tuple[str, str], tuple[str, datetime]]:
    """By tenant and key: the open incident that was tried last, and when."""
    keys = sorted({(each.tenant_id, each.repeat_key) for each in incidents})
    found = await connection.execute(_TRIED, {"keys": keys, "since": since})
    return {(tenant_id, key): (incident_id, at) for tenant_id, key, incident_id, at in found}


_AT = func.coalesce(_table.c.last_attempt_at, _table.c.created_at, type_=_table.c.created_at.type)
# Made once: it is asked with every group of incidents.
_TRIED = (
    select(_table.c.tenant_id, _table.c.repeat_key, _table.c.id, _AT.label("at"))
    .where(
        tuple_(_table.c.tenant_id, _table.c.repeat_key).in_(bindparam("keys", expanding=True)),
        _table.c.state == "open",
        bindparam("since", type_=_table.c.created_at.type) <= _AT,
    )
    .order_by(_AT)
)
