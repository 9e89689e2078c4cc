"""What a connection would do with a payload, and which tools there are: `/v1/connections/{id}/test`, `/v1/providers`."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from service.api.access import Requires
from service.api.answer import findings_out
from service.api.connection import TestBody, opened
from service.api.hooks.check import checked_of, in_pieces, prepare
from service.api.hooks.connected import Connected
from service.api.hooks.receive import hot_call, response_of
from service.api.hooks.registry import TOOLS
from service.api.hooks.tool import Call, Checked, Incoming, Tool
from service.api.parameters import STRICT, Name, errors
from service.api.state import ServiceState, State
from service.errors import Malformed, Problem
from service.record.connections import get_connection
from service.record.keys import ApiKey
from service.vocabulary import Action

router = APIRouter(prefix="/v1", tags=["connections"], dependencies=STRICT)

Admin = Annotated[ApiKey, Depends(Requires("admin"))]
SECONDS = 10.0


class MessageTried(BaseModel):
    """One message as it was read, and what would become of it."""

    text: str
    agent_id: str
    conversation_id: str | None
    customer_id: str | None
    message_id: str | None
    decision: Action
    agent_message: str
    findings: list[dict[str, Any]]
    degraded: list[str]


class Tried(BaseModel):
    """What the payload would do. Nothing of it is recorded or charged."""

    messages: list[MessageTried]
    ignored: str | None = Field(description="Why there was nothing to check.")
    status: int = Field(description="Of the answer that the tool would get.")
    answer: Any = Field(description="Its body; null for an empty one.")


class ProviderOut(BaseModel):
    """A chat tool that can be connected."""

    provider: str
    delivery: Literal["before", "after"] = Field(description="Whether the customer has not yet seen the message.")
    deadline_ms: int = Field(description="Within which it is answered unless the connection says otherwise.")
    secret: dict[str, Any] | None = Field(description="JSON Schema; null where the tool signs nothing.")
    secret_optional: bool
    settings: dict[str, Any] = Field(description="JSON Schema.")
    rewrites: bool = Field(description="Takes a masked text in place of a refusal.")
    follows_up: bool = Field(description="A note or a retraction can be left in it.")
    experimental: list[str] = Field(description="What of its format is not verified against a real account.")


@router.post(
    "/connections/{connection_id}/test",
    responses=errors(400, 404, 413, 415),
    summary="Try a payload, without recording it",
)
async def trial(request: Request, state: ServiceState, admin: Admin, connection_id: Name, body: TestBody) -> Tried:
    """Runs the tool's own sample, or a payload of yours, through reading, deciding and answering. No signature is asked."""
    connection = await get_connection(state["database"], admin.tenant_id, connection_id)
    connected = opened(connection, state["sealer"])
    tool = connected.tool
    if body.body is None and tool.sample is None:
        raise Malformed("This tool has no sample.", problems=[Problem("/body", "is required for this tool")])
    payload: Any = body.body if body.body is not None else tool.sample(body.text) if tool.sample else None
    call = Call("POST", "", {}, {}, msgspec.json.encode(payload), state["clock"].now())
    reading = tool.read(payload, call, connected.settings)
    pieces = [piece for each in reading.messages for piece in in_pieces(each)]
    tried = [await _try(state, connected, piece, request.state.request_id) for piece in pieces]
    reply = reading.reply or tool.answer(tuple(tried), call, connected.settings)
    response = response_of(reply)
    return Tried(
        messages=[_message(each, connected) for each in tried],
        ignored=reading.ignored,
        status=response.status_code,
        answer=_body(bytes(response.body)),
    )


@router.get("/providers", responses=errors(), summary="The chat tools that can be connected")
async def providers(admin: Admin) -> list[ProviderOut]:
    """By name, with the shapes of their secrets and settings."""
    return [_provider(TOOLS[name]) for name in sorted(TOOLS)]


async def _try(state: State, connected: Connected, incoming: Incoming, request_id: str) -> Checked:
    hot = hot_call(state, connected, request_id, perf_counter())
    until = asyncio.get_running_loop().time() + SECONDS
    sent = await prepare(hot, connected, incoming, until, retries=False)
    _, outcome = state["pipeline"].decide(sent, hot.elapsed_ms)
    return checked_of(connected, incoming, outcome)


def _message(checked: Checked, connected: Connected) -> MessageTried:
    message, outcome = checked.message, checked.outcome
    found = findings_out(outcome.findings, message.text, connected.connection.language) if outcome else ()
    return MessageTried(
        text=message.text,
        agent_id=message.agent_id,
        conversation_id=message.conversation_id,
        customer_id=message.customer_id,
        message_id=message.message_id,
        decision=checked.action,
        agent_message=checked.agent_message,
        findings=msgspec.to_builtins(found),
        degraded=list(outcome.degraded) if outcome else [],
    )


def _body(body: bytes) -> Any:
    """As JSON where it is JSON, else as text."""
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body.decode("utf-8", "replace")


def _provider(tool: Tool) -> ProviderOut:
    return ProviderOut(
        provider=tool.provider,
        delivery=tool.delivery,
        deadline_ms=tool.deadline_ms,
        secret=_schema(tool.secret) if tool.secret else None,
        secret_optional=tool.secret_optional,
        settings=_schema(tool.settings),
        rewrites=tool.rewrites,
        follows_up=tool.follow_up is not None,
        experimental=list(tool.experimental),
    )


def _schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The struct's own schema, in one piece."""
    schema = msgspec.json.schema(kind)
    found: dict[str, Any] = schema["$defs"][kind.__name__] if "$ref" in schema else schema
    return found
