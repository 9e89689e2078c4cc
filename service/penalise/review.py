"""What an agent or a supervisor does about an incident: the state, the ledger, the sanctions and the statistics change
together or not at all.

review -> accounts locked -> incident locked -> may it be? -> ledger settled -> review kept
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Conflict, Malformed, Problem
from service.penalise.books import Books
from service.penalise.pages import Settled
from service.record.account import agent_account, shop_account
from service.record.announce import announce_appeal, announce_review, announce_sanctions
from service.record.claims import claimed_by_another
from service.record.hourly import count_verdict
from service.record.incident import Incident, State
from service.record.incidents import get_incident, override_incident
from service.record.ledger import lock_accounts
from service.record.review import Appeal, Evidence, Review
from service.record.reviews import add_review, file_appeal, lock_incident
from service.record.transitions import DECIDED, STEP_OF, state_after
from service.vocabulary import SEVERITY_RANK


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of a review."""

    incident: Incident
    """As it is after it."""
    review: Review
    settled: Settled


async def review_incident(connection: AsyncConnection, books: Books, review: Review) -> Reviewed:
    """Decides, inside `database.write()`. `review.state_before` is filled in here.

    Raises NotFound; Malformed for a `severity` that makes no sense; Conflict `wrong_state` for a decision that stands
    already, `claimed` while another key has claimed the incident, `decided` when another key has decided it and the
    caller has not claimed it.
    """
    incident = await get_incident(connection, review.tenant_id, review.incident_id)
    await _lock_accounts_of(connection, incident)
    incident = await lock_incident(connection, review.tenant_id, review.incident_id)
    state = _may_decide(incident, review)
    review = msgspec.structs.replace(review, incident_id=incident.id, state_before=incident.state)
    settled = await books.settle(
        connection,
        incident,
        review.verdict,
        review.at,
        severity=review.severity,
        key_id=review.key_id,
        note=review.note,
    )
    await count_verdict(connection, incident, state)
    incident = await add_review(connection, incident, review, state)
    await announce_review(connection, incident, review, settled.entries, settled.started, settled.lifted)
    return Reviewed(incident, review, settled)


async def send_anyway(
    connection: AsyncConnection,
    books: Books,
    tenant_id: str,
    incident_id: str,
    *,
    reason: str,
    at: datetime,
    key_id: str,
    own: str | None,
) -> Incident:
    """Notes that a warned message was sent all the same, and charges it where that is due at once, inside
    `database.write()`; with `own` only if that key caused the incident.

    Raises NotFound; Conflict `not_overridable` for a block, or for an incident that is no longer open.
    """
    incident = await get_incident(connection, tenant_id, incident_id, key_id=own)
    await _lock_accounts_of(connection, incident)
    incident = await override_incident(connection, tenant_id, incident_id, reason, at, key_id=own)
    settled = await books.settle(connection, incident, "overridden", at, key_id=key_id)
    await announce_sanctions(connection, settled.started, settled.lifted, at)
    return incident


async def appeal_incident(
    connection: AsyncConnection,
    books: Books,
    tenant_id: str,
    incident_id: str,
    *,
    reason: str,
    evidence: tuple[Evidence, ...],
    at: datetime,
    key_id: str,
    own: str | None,
) -> tuple[Incident, Appeal]:
    """Files the agent's appeal, inside `database.write()`; with `own` only if that key caused the incident.

    Raises NotFound; Conflict `already_appealed`, `wrong_state`, or `appeal_too_late`.
    """
    incident = await lock_incident(connection, tenant_id, incident_id, key_id=own)
    defaults = books.ladders.defaults
    appeal = Appeal(
        tenant_id=tenant_id,
        incident_id=incident.id,
        key_id=key_id,
        filed_at=at,
        due_at=at + timedelta(hours=defaults.decide_within_hours),
        reason=reason,
        evidence=evidence,
    )
    appealed = await file_appeal(connection, incident, appeal)
    until = (incident.reviewed_at or incident.created_at) + timedelta(days=defaults.appeal_within_days)
    if at >= until:
        raise Conflict(
            f"incident {incident_id} is {incident.state} and could be appealed until {until:%Y-%m-%dT%H:%M:%SZ}",
            code="appeal_too_late",
        )
    await announce_appeal(connection, appealed, appeal)
    return appealed, appeal


async def _lock_accounts_of(connection: AsyncConnection, incident: Incident) -> None:
    """Accounts come before every other row, for everybody."""
    agent = agent_account(incident.tenant_id, incident.shop_id, incident.agent_id)
    await lock_accounts(connection, [agent, shop_account(incident.tenant_id, incident.shop_id)])


def _may_decide(incident: Incident, review: Review) -> State:
    claimant = incident.claimant(review.at)
    if claimant is not None and claimant != review.key_id:
        raise claimed_by_another(incident)
    state = state_after(incident.id, incident.state, STEP_OF[review.verdict])
    if incident.state in DECIDED and incident.reviewed_by != review.key_id and claimant is None:
        raise Conflict(
            f"incident {incident.id} is {incident.state} by key {incident.reviewed_by}; claim it first to change that",
            code="decided",
        )
    if review.verdict == "reduced":
        lower = [name for name, rank in SEVERITY_RANK.items() if rank < SEVERITY_RANK[incident.severity]]
        if review.severity not in lower:
            detail = f"should be under {incident.severity}: {' or '.join(lower) or 'there is nothing under low'}"
            raise Malformed("The incident can't be reduced to that.", problems=[Problem("/severity", detail)])
    return state
