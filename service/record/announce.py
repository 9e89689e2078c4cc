"""Which events tell of which change. Each function is called in the change's own transaction, after the change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from service.record.entry import LedgerEntry
from service.record.event import MAX_LISTED, Event, agent_subject, new_event
from service.record.incident import Incident
from service.record.outbox import listeners_of, put_events
from service.record.review import Appeal, Review
from service.record.sanction import Sanction

EndedBy = Literal["time", "supervisor", "correction"]
"""correction: the points that it stood on were taken back."""


async def announce_incidents(
    connection: AsyncConnection,
    incidents: Sequence[Incident],
    entries: Iterable[LedgerEntry] = (),
    started: Sequence[Sanction] = (),
) -> None:
    """New incidents, and the sanctions that they brought about. Their agents' accounts are locked."""
    listeners = await listeners_of(connection, {each.tenant_id for each in incidents})
    if not listeners:
        return
    by_incident: dict[str | None, list[LedgerEntry]] = {}
    for entry in entries:
        by_incident.setdefault(entry.incident_id, []).append(entry)
    events = [_created(each, by_incident.get(each.id, ())) for each in incidents]
    await put_events(connection, [*events, *_of_sanctions(started, (), None)], listeners)


async def announce_review(
    connection: AsyncConnection,
    incident: Incident,
    review: Review,
    entries: Iterable[LedgerEntry],
    started: Sequence[Sanction],
    lifted: Sequence[Sanction],
) -> None:
    """A supervisor's decision, and what it did to points and sanctions. `incident` is as it is after it."""
    listeners = await listeners_of(connection, {incident.tenant_id})
    if listeners:
        data = _about(incident) | {
            "review_id": review.id,
            "verdict": review.verdict,
            "state_before": review.state_before,
            "reduced_to": review.severity,
            "key_id": review.key_id,
            **_costs(entries),
        }
        event = new_event(incident.tenant_id, "incident.reviewed", _subject(incident), review.at, data)
        await put_events(connection, [event, *_of_sanctions(started, lifted, review.at)], listeners)


async def announce_appeal(connection: AsyncConnection, incident: Incident, appeal: Appeal) -> None:
    """An appeal, without its words. `incident` is as it is after it."""
    listeners = await listeners_of(connection, {incident.tenant_id})
    if listeners:
        data = _about(incident) | {"due_at": appeal.due_at, "key_id": appeal.key_id}
        event = new_event(incident.tenant_id, "incident.appealed", _subject(incident), appeal.filed_at, data)
        await put_events(connection, [event], listeners)


async def announce_sanctions(
    connection: AsyncConnection,
    started: Sequence[Sanction] = (),
    lifted: Sequence[Sanction] = (),
    at: datetime | None = None,
    ended_by: EndedBy = "correction",
) -> None:
    """Sanctions that began, or were lifted at `at`, for another reason than an incident or its review."""
    if started or lifted:
        listeners = await listeners_of(connection, {each.tenant_id for each in (*started, *lifted)})
        if listeners:
            await put_events(connection, _of_sanctions(started, lifted, at, ended_by), listeners)


async def announce_publication(
    connection: AsyncConnection, tenant_id: str, lexicon: str, version: str, action: str, key_id: str, at: datetime
) -> None:
    """A version of a lexicon that went into service. The lexicon is locked."""
    listeners = await listeners_of(connection, {tenant_id})
    if listeners:
        link = f"/v1/lexicons/{lexicon}/versions"
        data = {"lexicon": lexicon, "version": version, "action": action, "key_id": key_id, "link": link}
        event = new_event(tenant_id, "lexicon.published", f"lexicons/{lexicon}", at, data)
        await put_events(connection, [event], listeners)


async def announce_policy(
    connection: AsyncConnection, tenant_id: str, platform: str, revision: int, key_id: str, at: datetime
) -> None:
    """A tenant's change of a platform's policy."""
    listeners = await listeners_of(connection, {tenant_id})
    if listeners:
        link = f"/v1/policies/{platform}"
        data = {"platform": platform, "revision": revision, "key_id": key_id, "link": link}
        event = new_event(tenant_id, "policy.changed", f"policies/{platform}", at, data)
        await put_events(connection, [event], listeners)


def _created(incident: Incident, entries: Iterable[LedgerEntry]) -> Event:
    terms = dict.fromkeys(found["term_id"] for found in incident.findings if found.get("term_id"))
    clauses = dict.fromkeys(clause for found in incident.findings for clause in found.get("clauses") or ())
    data = _about(incident) | {
        "message_id": incident.message_id,
        "conversation_id": incident.conversation_id,
        "term_ids": list(terms)[:MAX_LISTED],
        "clauses": list(clauses)[:MAX_LISTED],
        "sent_at": incident.sent_at,
        **_costs(entries),
    }
    return new_event(incident.tenant_id, "incident.created", _subject(incident), incident.created_at, data)


def _about(incident: Incident) -> dict[str, Any]:
    return {
        "incident_id": incident.id,
        "decision": incident.decision,
        "severity": incident.severity,
        "categories": list(incident.categories),
        "state": incident.state,
        "platform": incident.platform,
        "channel": incident.channel,
        "shop_id": incident.shop_id,
        "agent_id": incident.agent_id,
        "link": f"/v1/incidents/{incident.id}",
    }


def _subject(incident: Incident) -> str:
    return agent_subject(incident.shop_id, incident.agent_id)


def _costs(entries: Iterable[LedgerEntry]) -> dict[str, Any]:
    """What was entered: `points` on the agent's account by the shop's own schemes, and all of it, scheme by scheme."""
    entries = list(entries)
    return {
        "points": sum(each.points for each in entries if each.side == "shop" and each.account_kind == "agent"),
        "charges": [
            {"scheme": each.scheme, "side": each.side, "account": each.account_kind, "points": each.points}
            for each in entries[:MAX_LISTED]
        ],
    }


def _of_sanctions(
    started: Iterable[Sanction],
    lifted: Iterable[Sanction],
    at: datetime | None,
    ended_by: EndedBy = "correction",
) -> list[Event]:
    events = []
    for each in started:
        events.append(_of_sanction("sanction.started", each, each.created_at))
        if each.ends_at is not None and each.ends_at <= each.created_at:
            # Entered late: it is over before it is known.
            events.append(ended(each, each.created_at, "time"))
    return events + [ended(each, at or each.lifted_at or each.created_at, ended_by) for each in lifted]


def ended(sanction: Sanction, at: datetime, ended_by: EndedBy) -> Event:
    """The event of a sanction's end, `at` that time."""
    return _of_sanction("sanction.ended", sanction, at, {"ended_by": ended_by})


def _of_sanction(kind: str, sanction: Sanction, at: datetime, more: dict[str, Any] | None = None) -> Event:
    data = {
        "sanction_id": sanction.id,
        "scheme": sanction.scheme,
        "side": sanction.side,
        "consequence": sanction.consequence,
        "occasion": sanction.occasion,
        "account": sanction.account_kind,
        "shop_id": sanction.shop_id,
        "agent_id": sanction.agent_id or None,
        "starts_at": sanction.starts_at,
        "ends_at": sanction.ends_at,
        "link": f"/v1/sanctions?scheme={sanction.scheme}",
        **(more or {}),
    }
    return new_event(sanction.tenant_id, kind, agent_subject(sanction.shop_id, sanction.agent_id), at, data)
