"""One message of a tool on the road of all messages: decided, recorded, counted; within what is left of the deadline.

The road itself is not cut short. At the deadline the tool hears the decision that stands by then, or the connection's fail
action where there is none, and recording goes on behind the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from hashlib import sha256
from typing import Any

import msgspec

from service.api.bodies import MAX_ATTACHMENTS, AnalyzeBody, Attachment
from service.api.hooks.connected import Connected
from service.api.hooks.tool import Checked, Forged, Incoming
from service.api.hot import Call
from service.api.language import in_language
from service.api.routes.moderate import fingerprint, moderate_sent, read_sent
from service.errors import Conflict
from service.lexicon.term import Localized
from service.record.outcome import Outcome
from service.record.replies import Scope
from service.record.sent import Sent, Via
from service.record.withhold import storable
from service.text.message import MAX_TEXT, Image

Launch = Callable[[Coroutine[Any, Any, Outcome]], "asyncio.Task[Outcome]"]
"""Starts what may outlive the call."""

MAX_ID = 128
TOO_LATE = "deadline: not recorded when answered"
NOT_CHECKED = Localized(
    zh_cn="消息暂时无法检查，请稍后再发。",
    en="The message could not be checked just now; please send it again in a moment.",
)


async def check(call: Call, connected: Connected, incoming: Incoming, until: float, launch: Launch) -> Checked:
    """What becomes of one message. `until`: the loop's time by which the tool must be answered.

    Raises Forged when its signed id was used for other content.
    """
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[Outcome] = loop.create_future()

    def hear(outcome: Outcome) -> None:
        if not heard.done():
            heard.set_result(outcome)

    task = launch(_moderate(call, connected, incoming, until, hear))
    await asyncio.wait({task, heard}, timeout=max(0.0, until - loop.time()), return_when=asyncio.FIRST_COMPLETED)
    if heard.done() and not task.done():
        # A warn or a block is recorded before it is answered, if that comes in time; an allow has nothing to wait for.
        await asyncio.wait({task}, timeout=max(0.0, until - loop.time()))
    if task.done():
        return checked_of(connected, incoming, task.result())
    if heard.done():
        outcome = heard.result()
        return checked_of(connected, incoming, msgspec.structs.replace(outcome, degraded=(*outcome.degraded, TOO_LATE)))
    return unchecked(connected, incoming)


def checked_of(connected: Connected, incoming: Incoming, outcome: Outcome) -> Checked:
    """The outcome in the connection's language."""
    language = connected.connection.language
    return Checked(
        message=incoming,
        action=outcome.decision,
        outcome=outcome,
        agent_message=in_language(outcome.agent_message, language),
        suggestion=in_language(outcome.suggestion, language),
        masked_text=outcome.masked_text,
        rewrite=connected.settings.rewrite and connected.tool.rewrites and can_be_masked(outcome),
    )


def unchecked(connected: Connected, incoming: Incoming) -> Checked:
    """The fail action."""
    action = connected.connection.fail_action
    words = in_language(NOT_CHECKED, connected.connection.language) if action == "block" else ""
    return Checked(incoming, action, None, agent_message=words)


def can_be_masked(outcome: Outcome) -> bool:
    """Whether asterisks take away all that is blocked: not what stands in a picture, nor what began in an earlier message."""
    blocking = [found for found in outcome.findings if found.action == "block"]
    return bool(blocking) and all(
        found.field == "text" and found.end > found.start and not found.message_ids for found in blocking
    )


async def _moderate(
    call: Call, connected: Connected, incoming: Incoming, until: float, decided: Callable[[Outcome], None]
) -> Outcome:
    sent = await prepare(call, connected, incoming, until)
    try:
        return await moderate_sent(call, sent, decided)
    except Conflict:
        raise Forged("this call's id was used for other content before") from None


async def prepare(call: Call, connected: Connected, incoming: Incoming, until: float, *, retries: bool = True) -> Sent:
    """The message as the pipeline takes it. Slow pictures and a slow store are not waited for, but named as degraded."""
    connection = connected.connection
    body = AnalyzeBody(
        text=incoming.text,
        platform=connection.platform,
        shop_id=short(incoming.shop_id or connection.shop_id),
        agent_id=short(incoming.agent_id) or "unknown",
        conversation_id=short(incoming.conversation_id),
        customer_id=short(incoming.customer_id),
        message_id=short(incoming.message_id),
        sent_at=incoming.sent_at,
        attachments=[Attachment(type="image", url=url) for url in incoming.image_urls[:MAX_ATTACHMENTS]],
    )
    # Without the time: a tool may sign a repetition anew.
    print_ = fingerprint(msgspec.structs.replace(body, sent_at=None))
    key = f"{connection.id}/{short(incoming.delivery_id)}"
    retry: tuple[Scope, str] = ("hook", storable(key if incoming.id_is_signed else f"{key}/{print_[:32]}"))
    keys = (retry,) if retries else ()
    left = max(0.0, until - asyncio.get_running_loop().time())
    try:
        async with asyncio.timeout(left / 2 if body.attachments else None):
            sent = await read_sent(call, body, keys, left / 4)
    except TimeoutError:
        sent = await read_sent(call, msgspec.structs.replace(body, attachments=[]), keys, left / 4)
        late = tuple(Image(skipped="timed out") for _ in body.attachments)
        sent = msgspec.structs.replace(sent, message=msgspec.structs.replace(sent.message, images=late))
    too_many = ("image: not inspected",) * (len(incoming.image_urls) - len(body.attachments))
    return msgspec.structs.replace(
        sent,
        fingerprint=print_ if keys else "",
        unhurried=bool(keys),
        degraded=(*sent.degraded, *incoming.uninspected, *too_many),
        via=Via(
            provider=connection.provider,
            connection_id=connection.id,
            after_delivery=after(connected, incoming),
        ),
    )


def after(connected: Connected, incoming: Incoming) -> bool:
    """Whether the customer has seen it already."""
    told = incoming.after_delivery
    return connected.tool.delivery == "after" if told is None else told


def short(value: str | None) -> str | None:
    """An id within what is stored; a longer one keeps its beginning, and what tells it from others that begin alike."""
    if value is None or len(value) <= MAX_ID:
        return value or None
    return f"{value[:63]}:{sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}"


def in_pieces(incoming: Incoming) -> list[Incoming]:
    """A text over what one message may have as several, cut where a line ends if one does near there."""
    pieces, rest = [], incoming.text
    while len(rest) > MAX_TEXT:
        cut = rest.rfind("\n", MAX_TEXT - 1000, MAX_TEXT) + 1 or MAX_TEXT
        pieces.append(rest[:cut])
        rest = rest[cut:]
    if not pieces:
        return [incoming]
    return [
        replace(
            incoming,
            text=text,
            delivery_id=f"{incoming.delivery_id}#{index}",
            image_urls=incoming.image_urls if index == 0 else (),
            uninspected=incoming.uninspected if index == 0 else (),
        )
        for index, text in enumerate([*pieces, rest])
    ]
