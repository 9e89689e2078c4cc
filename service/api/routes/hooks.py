"""`/v1/hooks/{connection_id}`: where chat tools call us. No key is asked: what proves a call is the tool's own signature."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.api.gate import HOOKS
from service.api.hooks.receive import receive
from service.api.parameters import errors

router = APIRouter(prefix="/v1/hooks", tags=["hooks"])

ConnectionId = Annotated[str, Path(min_length=1, max_length=64)]
ANSWERS = errors(400, 404, 413)
DESCRIPTION = (
    "Answered in the tool's own words, within the connection's deadline. `docs/reference/connections.md` has a row for "
    "each tool."
)


@router.post("/{connection_id}", responses=ANSWERS, summary="A chat tool's call", description=DESCRIPTION)
@router.get("/{connection_id}", responses=ANSWERS, summary="A chat tool tries the address", description=DESCRIPTION)
async def call(request: Request, connection_id: ConnectionId) -> Response:
    return await receive(request, connection_id, "")


@router.post(
    "/{connection_id}/{rest:path}", responses=ANSWERS, summary="The same, with a token", description=DESCRIPTION
)
@router.get(
    "/{connection_id}/{rest:path}", responses=ANSWERS, summary="The same, with a token", description=DESCRIPTION
)
async def call_with_token(
    request: Request, connection_id: ConnectionId, rest: Annotated[str, Path(max_length=512)]
) -> Response:
    """`rest` is the connection's token, where it needs one, and what the tool itself puts behind an address."""
    return await receive(request, connection_id, rest)


async def hooked(scope: Scope, receive_: Receive, send: Send) -> None:
    """The same without the framework's layers, which would take longer than the check: the gate hands over here."""
    connection_id, _, rest = scope["path"].removeprefix(HOOKS).partition("/")
    response = await receive(Request(scope, receive_), connection_id, rest)
    await response(scope, receive_, send)
