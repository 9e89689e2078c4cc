"""The road of a message: decode (done by the API) -> decide -> record -> answer (written by the API).

    Sent -> engine.decide -> Outcome -> incident and replies, durable -> Outcome

Deciding is pure and takes microseconds; recording is awaited, so an incident id in an answer is a promise kept. What
the database does not take is kept in the journal; when nothing can be written the tenant's fail action decides, and
`degraded` says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from time import monotonic

import msgspec
from uuid_utils import uuid7

from service.clock import Clock
from service.decide.decision import Decision
from service.errors import Conflict, Unavailable
from service.live import Live
from service.penalise.foresight import Foresight
from service.record.outcome import Outcome, outcome_of
from service.record.replies import Reply
from service.record.sent import Sent, incident_of
from service.record.storing import Entry
from service.record.withhold import for_retries, replayed
from service.record.writer import GroupWriter
from service.replicas.conversation import Attempt, ConversationStore, make_attempt
from service.traffic import Traffic
from service.vocabulary import ACTION_RANK

NOT_STORED = "record: incident not stored"


class Pipeline:
    """Decides, and makes durable what must last."""

    def __init__(
        self,
        live: Live,
        writer: GroupWriter,
        conversations: ConversationStore,
        clock: Clock,
        timeout: float,
        keep_evidence: bool,
        foresight: Foresight,
        traffic: Traffic,
    ) -> None:
        self.live = live
        self.clock = clock
        self._writer = writer
        self._conversations = conversations
        self._timeout = timeout
        self._keep_evidence = keep_evidence
        self._foresight = foresight
        self._traffic = traffic
        self._failed_at = float("-inf")

    def decide(self, sent: Sent, elapsed_ms: Callable[[], float]) -> tuple[Decision, Outcome]:
        """The decision, and nothing else: nothing is stored."""
        decision = self.live.engine_for(sent.tenant_id).decide(sent.message)
        outcome = outcome_of(
            decision,
            sent.message.text,
            sent.request_id,
            explain=sent.explain,
            degraded=sent.degraded,
            latency_ms=elapsed_ms(),
            message_id=sent.message_id,
        )
        return decision, outcome

    async def moderate(
        self, sent: Sent, elapsed_ms: Callable[[], float], decided: Callable[[Outcome], None] | None = None
    ) -> Outcome:
        """Decides with what came before, and records. Raises Conflict when a retry key was used for other content.

        `decided` hears of the decision before it is recorded: for whoever may not wait until it is.
        """
        attempt = attempt_of(sent, self.clock)
        if attempt is None:
            return await self._moderate(sent, elapsed_ms, decided)
        recent = await self._conversations.append(attempt, self.clock.now().timestamp())
        message = msgspec.structs.replace(sent.message, earlier=recent.earlier, pace=recent.pace)
        sent = msgspec.structs.replace(sent, message=message, degraded=(*sent.degraded, *recent.degraded))
        was_sent = False
        try:
            outcome = await self._moderate(sent, elapsed_ms, decided)
            was_sent = outcome.decision != "block"
        finally:
            if not was_sent:
                await self._conversations.withdraw(attempt)
        return outcome

    async def _moderate(
        self, sent: Sent, elapsed_ms: Callable[[], float], decided: Callable[[Outcome], None] | None
    ) -> Outcome:
        if sent.unhurried and (known := self._known(sent)) is not None:
            return replay(known, sent)
        decision, outcome = self.decide(sent, elapsed_ms)
        if decided is not None:
            decided(outcome)
        if decision.action == "allow" and sent.unhurried:
            self._writer.write_later(Entry(None, self._replies(sent, outcome, self.clock.now())))
        elif decision.action != "allow" or sent.retry_keys:
            outcome = await self._record(sent, decision, outcome)
        if self._traffic.tenants and not outcome.replayed:
            self._traffic.take(sent, decision)
        return outcome

    async def _record(self, sent: Sent, decision: Decision, outcome: Outcome) -> Outcome:
        at = self.clock.now()
        incident = None
        if decision.action != "allow":
            outcome = await self._foresight.look(sent, outcome, at, ask=self._writer.breaker.is_closed)
            incident_id = str(uuid7())
            outcome = msgspec.structs.replace(outcome, incident_id=incident_id, recorded="database")
            incident = incident_of(sent, decision, outcome, incident_id, at, keep_evidence=self._keep_evidence)
        replies = self._replies(sent, outcome, at)
        try:
            async with asyncio.timeout(self._timeout):
                written = await self._writer.write(Entry(incident, replies))
        except (Unavailable, TimeoutError):
            self._failed_at = monotonic()
            return self._not_stored(sent, outcome)
        if written.existing is not None:
            outcome = replay(written.existing, sent)
        elif written.repeats is not None:
            outcome = msgspec.structs.replace(outcome, incident_id=written.repeats)
        return outcome if written.where == "database" else in_journal(outcome, written.because)

    def _replies(self, sent: Sent, outcome: Outcome, at: datetime) -> tuple[Reply, ...]:
        """The answer, under each name by which it may be asked for again."""
        if not sent.retry_keys:
            return ()
        body = msgspec.json.encode(for_retries(outcome, keep_evidence=self._keep_evidence))
        return tuple(Reply(sent.tenant_id, scope, key, sent.fingerprint, body, at) for scope, key in sent.retry_keys)

    def _known(self, sent: Sent) -> Reply | None:
        found = (self._writer.recall((sent.tenant_id, scope, key)) for scope, key in sent.retry_keys)
        return next((reply for reply in found if reply is not None), None)

    def _not_stored(self, sent: Sent, outcome: Outcome) -> Outcome:
        """By the tenant's fail actions, which can only be stricter than what was decided: a block stays one."""
        rules = self.live.engine_for(sent.tenant_id).platforms[sent.message.platform]
        policy = rules.policy_on(sent.message.day)
        actions = [outcome.decision, *(policy.fail_action(found.category) for found in outcome.findings)]
        return msgspec.structs.replace(
            outcome,
            decision=max(actions, key=ACTION_RANK.__getitem__),
            incident_id=None,
            recorded="none",
            degraded=(*outcome.degraded, NOT_STORED),
        )

    def seconds_since_failure(self) -> float:
        """How long ago something could not be stored; infinite when that never happened."""
        return monotonic() - self._failed_at


def attempt_of(sent: Sent, clock: Clock) -> Attempt | None:
    """What to remember of the message; None where it belongs to no conversation."""
    if sent.conversation_id is None and sent.customer_id is None:
        return None
    scope, key = sent.retry_keys[0] if sent.retry_keys else ("unique", str(uuid7()))
    return make_attempt(
        tenant=sent.tenant_id,
        shop=sent.shop_id,
        agent=sent.agent_id,
        conversation=sent.conversation_id,
        customer=sent.customer_id,
        key=f"{scope}:{key}",
        message_id=sent.message_id or sent.request_id,
        text=sent.message.text,
        at=(sent.sent_at or clock.now()).timestamp(),
    )


def in_journal(outcome: Outcome, because: str) -> Outcome:
    """The outcome of what the journal keeps."""
    degraded = (*outcome.degraded, f"record: {because}, kept in the journal")
    recorded = "journal" if outcome.incident_id is not None else outcome.recorded
    return msgspec.structs.replace(outcome, recorded=recorded, degraded=degraded)


def replay(reply: Reply, sent: Sent) -> Outcome:
    """The stored outcome for the same content. Raises Conflict for other content."""
    if reply.fingerprint != sent.fingerprint:
        name = "message_id" if reply.scope == "message" else "Idempotency-Key"
        raise Conflict(
            f"this {name} was used for other content before; give each message its own",
            code="idempotency_conflict",
        )
    return replayed(msgspec.json.decode(reply.body, type=Outcome), sent.message.text)
