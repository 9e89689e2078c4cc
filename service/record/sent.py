"""A message with who sent it, and the incident that it leaves when it is not allowed."""

from __future__ import annotations

from datetime import datetime

import msgspec

from service.decide.decision import Decision
from service.record.incident import Incident
from service.record.outcome import Outcome
from service.record.repeats import repeat_key
from service.record.replies import Scope
from service.record.withhold import kept_findings, kept_text, storable
from service.text.message import Message
from service.vocabulary import SEVERITY_RANK


class Via(msgspec.Struct, frozen=True, kw_only=True):
    """The connection that a message came through."""

    provider: str
    connection_id: str
    after_delivery: bool
    """The customer has seen it already."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A message with who sent it, and under which names it may be sent again."""

    message: Message
    tenant_id: str
    key_id: str
    request_id: str
    shop_id: str
    agent_id: str
    conversation_id: str | None
    customer_id: str | None
    message_id: str | None
    sent_at: datetime | None
    retry_keys: tuple[tuple[Scope, str], ...]
    fingerprint: str
    """Of the request's content; empty without retry keys."""
    explain: bool
    ladders: tuple[str, ...] = ()
    """The schemes by which the shop counts against its agents."""
    timezone: str = "Asia/Shanghai"
    """The shop's, an IANA name."""
    degraded: tuple[str, ...] = ()
    """What could not be inspected before the engine saw the message."""
    via: Via | None = None
    """None: a client asked itself."""
    unhurried: bool = False
    """An allow need not be durable when it is answered: should it be forgotten, a repeat is decided again, which costs
    nothing.
    """


def incident_of(
    sent: Sent, decision: Decision, outcome: Outcome, incident_id: str, at: datetime, *, keep_evidence: bool
) -> Incident:
    """What stays of a warn or a block."""
    text = kept_text(decision, sent.message.text, keep_evidence=keep_evidence)
    findings = kept_findings(outcome, text, keep_evidence=keep_evidence)
    incident = Incident(
        id=incident_id,
        tenant_id=sent.tenant_id,
        key_id=sent.key_id,
        request_id=sent.request_id,
        created_at=at,
        sent_at=sent.sent_at or at,
        platform=sent.message.platform,
        channel=sent.message.channel,
        shop_id=storable(sent.shop_id),
        agent_id=storable(sent.agent_id),
        conversation_id=sent.conversation_id and storable(sent.conversation_id),
        customer_id=sent.customer_id and storable(sent.customer_id),
        message_id=sent.message_id and storable(sent.message_id),
        decision="block" if outcome.decision == "block" else "warn",
        severity=max((found.severity for found in findings), key=SEVERITY_RANK.__getitem__),
        categories=tuple(dict.fromkeys(found.category for found in findings)),
        text=text,
        findings=tuple(msgspec.to_builtins(found) for found in findings),
        lexicon_version=outcome.lexicon_version,
        policy_version=outcome.policy_version,
        provider=sent.via.provider if sent.via else None,
        connection_id=sent.via.connection_id if sent.via else None,
        after_delivery=sent.via is not None and sent.via.after_delivery,
    )
    payloads = [payload for image in sent.message.images for payload in image.payloads]
    return msgspec.structs.replace(incident, repeat_key=repeat_key(incident, sent.message.text, payloads))
