"""`/v1/moderate` decides and records, `/v1/analyze` decides only, `/v1/moderate/batch` does the first for many."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

import msgspec

from service.api.answer import Answer, answer_of
from service.api.bodies import AnalyzeBody, BatchBody, ModerateBody, check_message
from service.api.decode import decode, lone_surrogate
from service.api.form import attach
from service.api.hot import Call
from service.api.images import inspect_attachments
from service.api.language import language_of
from service.api.problem import problem_of
from service.api.shops import assets_of, local_time
from service.api.trace import Stages
from service.errors import Malformed, Problem, ShenyanError
from service.record.outcome import Outcome
from service.record.replies import Scope
from service.record.sent import Sent
from service.record.withhold import storable
from service.replicas.rates import NOT_REACHABLE
from service.text.message import Message

ANALYZE = msgspec.json.Decoder(AnalyzeBody)
MODERATE = msgspec.json.Decoder(ModerateBody)
BATCH = msgspec.json.Decoder(BatchBody)
CANONICAL = msgspec.json.Encoder(order="sorted")
ANSWER = {"$ref": "#/components/schemas/Answer"}
PROBLEM = {"$ref": "#/components/schemas/Problem"}
IDEMPOTENCY_KEY = re.compile(rb"[\x21-\x7e]{1,128}")


class BatchResult(msgspec.Struct, frozen=True):
    """What became of one message of a batch."""

    status: int
    body: Annotated[Any, msgspec.Meta(extra_json_schema={"oneOf": [ANSWER, PROBLEM]})]
    """An `Answer` for 200, else a `ProblemBody`."""


class BatchAnswer(msgspec.Struct, frozen=True):
    """One result for each message, in their order."""

    results: list[BatchResult]


async def moderate(call: Call) -> Answer:
    """One message: decided, and recorded unless it is allowed."""
    body = call.decode(MODERATE)
    await attach(body, call.files)
    return await _moderate(call, body, idempotency_key(call))


async def analyze(call: Call) -> Answer:
    """One message: decided only."""
    body = call.decode(ANALYZE)
    await attach(body, call.files)
    sent = await sent_of(call, body, ())
    _, outcome = call.state["pipeline"].decide(sent, call.elapsed_ms)
    return _answer(call, outcome, body.text)


async def moderate_batch(call: Call) -> BatchAnswer:
    """Up to 100 messages, each decided, recorded and refused by itself."""
    items = read_items(call)
    await call.state["keys"].count_more(call.key, len(items))
    bodies = [_decode_item(item) for item in items]
    refuse_duplicates(bodies)
    key = idempotency_key(call)
    results: list[BatchResult | None] = [None] * len(bodies)

    async def in_turn(indices: Sequence[int]) -> None:
        for index in indices:
            results[index] = await _result(call, bodies[index], key and f"{key}/{index}")

    # Together, so that one commit can hold the incidents of them all; but a conversation's messages in their order, for
    # each is read with those before it.
    await asyncio.gather(*map(in_turn, by_conversation(bodies)))
    return BatchAnswer([result for result in results if result is not None])


async def _moderate(call: Call, body: ModerateBody, retry_key: str) -> Answer:
    keys: list[tuple[Scope, str]] = [("message", storable(body.message_id))] if body.message_id else []
    if retry_key:
        keys.append(("key", retry_key))
    sent = await sent_of(call, body, tuple(keys))
    outcome = await moderate_sent(call, sent)
    return _answer(call, outcome, body.text)


async def moderate_sent(call: Call, sent: Sent, decided: Callable[[Outcome], None] | None = None) -> Outcome:
    """The road of every message that counts: decided, recorded, counted. `decided` as in the pipeline."""
    began = call.elapsed_ms()
    outcome = await call.state["pipeline"].moderate(sent, call.elapsed_ms, decided)
    elapsed_ms = call.elapsed_ms()
    platform = sent.message.platform
    call.state["metrics"].count(platform, outcome, began, elapsed_ms)
    if (trace := call.state.get("trace")) is not None:
        until = began if outcome.replayed else outcome.latency_ms
        trace.messages.append(Stages(began, until, elapsed_ms, platform, outcome.decision))
    if not outcome.replayed:
        call.state["counter"].count(sent.tenant_id, platform, sent.shop_id, sent.agent_id, outcome.decision, elapsed_ms)
    return outcome


async def _result(call: Call, body: ModerateBody | ShenyanError, retry_key: str) -> BatchResult:
    try:
        if isinstance(body, ShenyanError):
            raise body
        return BatchResult(200, await _moderate(call, body, retry_key))
    except ShenyanError as error:
        return BatchResult(error.status, problem_of(error, call.request_id))


def read_items(call: Call) -> list[msgspec.Raw]:
    """The messages, each still to be read: half a character in one of them is that one's own fault."""
    try:
        return call.decode(BATCH).messages
    except Malformed:
        if lone_surrogate(call.body) is None:
            raise
    # It is within bounds, or none would have been found. Written anew in ASCII each is a text again, with the half in it.
    given = json.loads(call.body)
    readable = json.dumps(given).encode().replace(b"\\ud", b"\\u0d")
    decode(BATCH, readable)
    return [msgspec.Raw(json.dumps(item).encode()) for item in given["messages"]]


def _decode_item(item: msgspec.Raw) -> ModerateBody | ShenyanError:
    try:
        return decode(MODERATE, item)
    except ShenyanError as error:
        return error


def _answer(call: Call, outcome: Outcome, text: str) -> Answer:
    return answer_of(outcome, text, language_of(call.headers.get(b"accept-language", b"")))


async def sent_of(call: Call, body: AnalyzeBody, retry_keys: tuple[tuple[Scope, str], ...]) -> Sent:
    """The message with all that deciding and recording need. Raises Malformed for what a schema can't say."""
    check_message(body)
    return await read_sent(call, body, retry_keys)


async def read_sent(
    call: Call, body: AnalyzeBody, retry_keys: tuple[tuple[Scope, str], ...], patience: float | None = None
) -> Sent:
    """The same of a body that was made here. `patience`: seconds to wait for the shop's row; None: as long as it takes."""
    shop, degraded = await call.state["shops"].find(call.key.tenant_id, body.shop_id, patience)
    degraded = (*degraded, *call.state["keys"].degraded)
    if call.key.rate_limit is not None and call.state["keys"].rates.lost:
        degraded = (*degraded, NOT_REACHABLE)
    moment: datetime = local_time(shop, body.sent_at or call.state["clock"].now())
    message = Message(
        text=body.text,
        platform=body.platform,
        channel=body.channel,
        day=moment.date(),
        time=moment.time(),
        assets=assets_of(shop),
        images=await inspect_attachments(body.attachments, call.state["fetcher"]) if body.attachments else (),
    )
    return Sent(
        message=message,
        tenant_id=call.key.tenant_id,
        key_id=call.key.id,
        request_id=call.request_id,
        shop_id=body.shop_id or "",
        agent_id=body.agent_id or "",
        conversation_id=body.conversation_id,
        customer_id=body.customer_id,
        message_id=body.message_id,
        sent_at=body.sent_at,
        retry_keys=retry_keys,
        fingerprint=fingerprint(body) if retry_keys else "",
        explain=body.explain,
        ladders=shop.ladders if shop else (),
        timezone=shop.timezone if shop else "Asia/Shanghai",
        degraded=degraded,
    )


def fingerprint(body: AnalyzeBody) -> str:
    """SHA-256 over the content of a request: equal for equal fields, whatever their order and spelling in JSON."""
    return sha256(CANONICAL.encode(body)).hexdigest()


def idempotency_key(call: Call) -> str:
    """The `Idempotency-Key`; empty when there is none. Raises Malformed for one of another form."""
    key = call.headers.get(b"idempotency-key")
    if key is None:
        return ""
    if not IDEMPOTENCY_KEY.fullmatch(key):
        problem = Problem("", "header Idempotency-Key: 1 to 128 printable ASCII characters without blanks")
        raise Malformed("The Idempotency-Key can't be used.", problems=[problem])
    return key.decode("ascii")


def by_conversation(bodies: Sequence[ModerateBody | ShenyanError]) -> list[list[int]]:
    """The places of the messages that belong together, in their order; a message of no conversation is alone."""
    groups: dict[object, list[int]] = {}
    for index, body in enumerate(bodies):
        whose: object = index
        if isinstance(body, ModerateBody) and (body.conversation_id or body.customer_id):
            whose = (body.shop_id, body.agent_id)
        groups.setdefault(whose, []).append(index)
    return list(groups.values())


def refuse_duplicates(bodies: Sequence[ModerateBody | ShenyanError]) -> None:
    """Raises Malformed when two messages of a batch bear the same id: which one would be the retry?"""
    first: dict[str, int] = {}
    problems = []
    for index, body in enumerate(bodies):
        if not isinstance(body, ModerateBody) or body.message_id is None:
            continue
        if body.message_id in first:
            detail = f"is the id of messages/{first[body.message_id]} too; ids are unique"
            problems.append(Problem(f"/messages/{index}/message_id", detail))
        first.setdefault(body.message_id, index)
    if problems:
        raise Malformed("Two messages of the batch have the same id.", problems=problems)
