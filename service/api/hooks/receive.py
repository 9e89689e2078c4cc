"""The road around the tools: what a call goes through, whoever it is from.

connection -> body, once -> token, signature -> what is in it -> each message checked -> the tool's own answer
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from uuid_utils import uuid7

from service.api.decode import read_body
from service.api.hooks.check import check, in_pieces, unchecked
from service.api.hooks.connected import Connected
from service.api.hooks.proofs import same
from service.api.hooks.tool import Call, Checked, Forged, Incoming, Reading, Reply
from service.api.hot import Call as HotCall
from service.api.log import place_of_crash
from service.api.problem import problem_response
from service.api.state import State, state_of
from service.errors import BadRequest, NotFound, ShenyanError, TooLarge
from service.record.calls import CallVerdict, HookCall
from service.record.keys import ApiKey
from service.vocabulary import ACTION_RANK

MAX_BODY = 256 * 1024
MAX_MESSAGES = 100
MAX_REASON = 200
FETCHED_SECONDS = 30.0
"""For messages that nobody waits for."""
Ending = tuple[Response, CallVerdict, int, str | None]
"""The answer, what became of the call, how many messages were checked, and why nothing more."""


async def receive(request: Request, connection_id: str, rest: str) -> Response:
    """Answers a tool. Raises NotFound for a connection that is not there or switched off."""
    started, state = perf_counter(), state_of(request)
    connected = await state["hooks"].connections.find(connection_id)
    if connected is None:
        raise NotFound("There is no such connection, or it is switched off.")
    until = asyncio.get_running_loop().time() + connected.deadline
    at = state["clock"].now()
    response, verdict, messages, reason = await _answer(request, connected, rest, started, until)
    call = HookCall(
        id=str(uuid7()),
        connection_id=connection_id,
        at=at,
        verdict=verdict,
        status=response.status_code,
        messages=messages,
        latency_ms=round((perf_counter() - started) * 1000, 3),
        reason=reason[:MAX_REASON] if reason else None,
    )
    state["hooks"].journal.note(connected.tool.provider, call)
    return response


async def _answer(request: Request, connected: Connected, rest: str, started: float, until: float) -> Ending:
    state, tool = state_of(request), connected.tool
    request_id: str = request.state.request_id
    try:
        body = await read_body(request.receive, dict(request.scope["headers"]), MAX_BODY)
        call, payload = prove(request, connected, rest, body, state)
        reading: Reading = tool.read(payload, call, connected.settings)
        if reading.reply is not None:
            return response_of(reading.reply), "handshake", 0, None
        if reading.pull is not None:
            state["hooks"].news.fetch(connected, reading.pull, partial(check_fetched, state, connected))
        hot = hot_call(state, connected, request_id, started)
        checked = await check_all(hot, connected, reading, until)
        reply = tool.answer(tuple(checked), call, connected.settings)
    except (Forged, BadRequest, TooLarge) as error:
        response = problem_response(error, request_id)
        response.status_code = tool.refusal_status if isinstance(error, Forged) else error.status
        return response, "refused", 0, error.detail
    except ShenyanError:
        raise
    except Exception as error:
        state["log"].error("crash", request_id=request_id, path="/v1/hooks", **place_of_crash(error))
        nothing = unchecked(connected, Incoming(text="", agent_id="", delivery_id=""))
        reason = f"the call could not be read; answered: {nothing.action}"
        return response_of(tool.answer((nothing,), call, connected.settings)), "failed", 0, reason
    return (response_of(reply), *ending(checked, reading))


def prove(request: Request, connected: Connected, rest: str, body: bytes, state: State) -> tuple[Call, object]:
    """The call and what the tool makes of its body. Raises Forged unless token and signature fit, BadRequest for a proven
    call that can't be read.
    """
    now = state["clock"].now()
    query = dict(request.query_params)
    call = Call(request.method, rest, query, dict(request.headers), body, now)
    call = admit(call, connected)
    refusal: Forged | None = None
    for secret in connected.secrets(now):
        try:
            return call, connected.tool.verify(call, secret, connected.settings)
        except Forged as error:
            refusal = refusal or error
    raise refusal or Forged("this connection has no secret")


def admit(call: Call, connected: Connected) -> Call:
    """The call without the connection's token in its path. Raises Forged where the token is needed and is not there."""
    first, _, rest = call.rest.partition("/")
    tokens = connected.tokens(call.now)
    if any(same(first, token) for token in tokens):
        return replace(call, rest=rest)
    if connected.needs_token and not any(same(call.query.get("token"), token) for token in tokens):
        raise Forged("the address lacks the connection's token")
    return call


def hot_call(state: State, connected: Connected, request_id: str, started: float) -> HotCall:
    """As if a client had asked: the connection stands in the place of its key."""
    connection = connected.connection
    key = ApiKey(
        id=connection.id,
        tenant_id=connection.tenant_id,
        name=connection.provider,
        role="client",
        rate_limit=None,
        created_at=connection.created_at,
    )
    return HotCall(state, key, request_id, {}, b"", started)


async def check_all(hot: HotCall, connected: Connected, reading: Reading, until: float) -> list[Checked]:
    """Each message in its order, for one is read with those before it. A crash on the way is the fail action's."""
    hooks, checked = hot.state["hooks"], []
    for incoming in [piece for each in reading.messages[:MAX_MESSAGES] for piece in in_pieces(each)]:
        try:
            one = await check(hot, connected, incoming, until, hooks.launch)
        except ShenyanError as error:
            if isinstance(error, Forged):
                raise
            one = unchecked(connected, incoming)
        except Exception as error:
            hot.state["log"].error("crash", request_id=hot.request_id, path="/v1/hooks", **place_of_crash(error))
            one = unchecked(connected, incoming)
        checked.append(one)
        hooks.follow_ups.add(connected, one)
    return checked


async def check_fetched(state: State, connected: Connected, messages: Sequence[Incoming]) -> list[Checked]:
    """Messages that were fetched behind an answer, on the same road; each batch is noted as a call."""
    checked: list[Checked] = []
    for start in range(0, len(messages), MAX_MESSAGES):
        began = perf_counter()
        batch = Reading(messages=tuple(messages[start : start + MAX_MESSAGES]))
        hot = hot_call(state, connected, str(uuid7()), began)
        found = await check_all(hot, connected, batch, asyncio.get_running_loop().time() + FETCHED_SECONDS)
        verdict, count, reason = ending(found, batch)
        call = HookCall(
            id=str(uuid7()),
            connection_id=connected.connection.id,
            at=state["clock"].now(),
            verdict=verdict,
            status=200,
            messages=count,
            latency_ms=round((perf_counter() - began) * 1000, 3),
            reason=reason,
        )
        state["hooks"].journal.note(connected.tool.provider, call)
        checked += found
    return checked


def ending(checked: Sequence[Checked], reading: Reading) -> tuple[CallVerdict, int, str | None]:
    """What became of the call as a whole."""
    if not checked:
        return "ignored", 0, reading.ignored or "nothing to check"
    strictest = max((one.action for one in checked), key=ACTION_RANK.__getitem__)
    if any(one.outcome is None for one in checked):
        return "failed", len(checked), f"no decision in time; answered: {strictest}"
    return strictest, len(checked), reading.ignored


def response_of(reply: Reply) -> Response:
    content = reply.content
    if not isinstance(content, bytes):
        content = b"" if content is None else msgspec.json.encode(content)
    return Response(content, reply.status, dict(reply.headers), media_type=reply.media_type)
