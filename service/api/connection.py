"""A connection as clients send and read it. Secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from secrets import token_urlsafe
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from service.api.decode import wrong_places
from service.api.hooks.connected import Connected, connect, needs_token
from service.api.hooks.registry import TOOLS
from service.api.hooks.tool import HookSettings, Tool
from service.api.parameters import Body, Stored, Word
from service.errors import DataError, Malformed, Problem, Unavailable
from service.record.calls import CallVerdict
from service.record.connections import Connection, FailAction, Language
from service.record.sealed import Sealer
from service.vocabulary import Platform

VALUE = "value"
"""The field of a secret that a plain string stands for."""
MIN_DEADLINE, MAX_DEADLINE = 20, 10_000
SecretBody = Annotated[str, Field(min_length=1, max_length=8192)] | dict[str, Any]
Deadline = Annotated[
    int | None,
    Field(ge=MIN_DEADLINE, le=MAX_DEADLINE, description="Milliseconds for the whole answer; null: the tool's default."),
]
Label = Annotated[str, Field(max_length=128), Stored]
EXAMPLE: dict[str, Any] = {
    "provider": "easemob",
    "secret": "the rule's secret",
    "platform": "taobao",
    "shop_id": "shop-1",
    "settings": {"agents": ["kefu_*"]},
    "deadline_ms": 150,
    "fail_action": "allow",
}


class NewConnection(Body):
    """An account at a chat tool."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    provider: Annotated[str, Field(max_length=32, description="One of `GET /v1/providers`.")]
    secret: Annotated[
        SecretBody | None,
        Field(description="As the tool shows it: a string, or an object with the fields that the tool needs."),
    ] = None
    platform: Platform
    shop_id: Word
    settings: Annotated[
        dict[str, Any],
        Field(default_factory=dict, description="The tool's own; `GET /v1/providers` has their schemas."),
    ]
    deadline_ms: Deadline = None
    fail_action: FailAction = "allow"
    name: Label = ""
    language: Annotated[Language, Field(description="Of what agents read in a refusal.")] = "zh-CN"
    enabled: bool = True


class ConnectionChange(Body):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": False}]})

    platform: Platform | None = None
    shop_id: Word | None = None
    settings: Annotated[dict[str, Any] | None, Field(description="All of them anew.")] = None
    deadline_ms: Deadline = None
    fail_action: FailAction | None = None
    name: Label | None = None
    language: Language | None = None
    enabled: bool | None = None


class Rotation(Body):
    """A new secret, or a new address."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"secret": "the new one", "overlap_seconds": 3600}]})

    secret: Annotated[SecretBody | None, Field(description="Left out: it stays.")] = None
    token: Annotated[bool, Field(description="Make a new random token for the address.")] = False
    overlap_seconds: Annotated[
        int, Field(ge=0, le=30 * 86_400, description="For how long the old ones are taken, too.")
    ] = 86_400


class TestBody(Body):
    """What to try."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "加薇.信号abc123"}]})

    text: Annotated[str, Field(max_length=10_000, description="The agent's words in the tool's sample payload.")] = (
        "亲，这款是高仿的，加微信便宜"
    )
    body: Annotated[
        dict[str, Any] | None, Field(description="A payload of the tool's in place of the sample, as it would be read.")
    ] = None


class ConnectionOut(BaseModel):
    """A connection, without its secrets."""

    id: str
    name: str
    provider: str
    delivery: Literal["before", "after"] = Field(description="Whether the customer has not yet seen the message.")
    platform: Platform
    shop_id: str
    language: Language
    settings: dict[str, Any]
    deadline_ms: int | None
    fail_action: FailAction
    enabled: bool
    has_secret: bool
    overlap_until: datetime | None = Field(description="Until then what was before the last rotation is taken, too.")
    needs_token: bool = Field(description="Calls need the address with the random token.")
    created_at: datetime
    experimental: list[str] = Field(description="What of the tool's format is not verified against a real account.")


class ConnectionMade(ConnectionOut):
    """The same, with the address for the tool. Its token can be had only now."""

    url: str


class CallOut(BaseModel):
    """One call of the tool; never what was in it."""

    at: datetime
    verdict: CallVerdict
    status: int
    messages: int
    latency_ms: float
    reason: str | None


def tool_of(provider: str) -> Tool:
    """Raises Malformed."""
    tool = TOOLS.get(provider)
    if tool is None:
        problem = Problem("/provider", f"is not known; there are {', '.join(sorted(TOOLS))}")
        raise Malformed("There is no such chat tool.", problems=[problem])
    return tool


def settings_of(tool: Tool, given: Mapping[str, Any]) -> dict[str, Any]:
    """The tool's settings as they are stored. Raises Malformed with every place that is wrong."""
    settings = _converted(given, tool.settings, "/settings")
    if isinstance(settings, HookSettings) and settings.rewrite and not tool.rewrites:
        problem = Problem("/settings/rewrite", f"{tool.provider} can't change a message, only refuse it")
        raise Malformed("The settings do not fit the tool.", problems=[problem])
    stored: dict[str, Any] = msgspec.to_builtins(settings)
    return stored


def secret_of(tool: Tool, given: str | dict[str, Any] | None) -> str | None:
    """The secret as JSON, to be sealed; None for a tool without. Raises Malformed."""
    if tool.secret is None or given is None:
        if given is None and (tool.secret is None or tool.secret_optional):
            return None
        detail = "is required" if given is None else f"{tool.provider} has none; leave it out"
        raise Malformed("The secret does not fit the tool.", problems=[Problem("/secret", detail)])
    if isinstance(given, str):
        known = msgspec.structs.fields(tool.secret)
        names = [field.name for field in known if field.required or field.name == VALUE]
        if VALUE not in names and len(names) != 1:
            problem = Problem("/secret", f"should be an object with {', '.join(names)}")
            raise Malformed("The secret does not fit the tool.", problems=[problem])
        given = {VALUE if VALUE in names else names[0]: given}
    return msgspec.json.encode(_converted(given, tool.secret, "/secret")).decode()


def _converted(given: Any, kind: type[msgspec.Struct], pointer: str) -> Any:
    try:
        return msgspec.convert(given, kind)
    except (msgspec.ValidationError, ValueError) as error:
        # The reasons name fields and types, never a value.
        problems = list(wrong_places(given, kind, pointer)) or [Problem(pointer, str(error).partition(" - at")[0])]
        raise Malformed("It does not fit the tool.", problems=problems) from None


def new_token() -> str:
    """256 random bits, in letters that need no escaping in an address."""
    return token_urlsafe(32)


def fields(connection: Connection) -> dict[str, Any]:
    """What `ConnectionOut` shows. Nothing is unsealed for it."""
    tool = tool_of(connection.provider)
    settings = msgspec.convert(connection.settings, tool.settings)
    return msgspec.structs.asdict(connection) | {
        "delivery": tool.delivery,
        "has_secret": connection.secret is not None,
        "overlap_until": connection.previous_until,
        "needs_token": needs_token(connection, tool, settings),
        "experimental": list(tool.experimental),
    }


def opened(connection: Connection, sealer: Sealer) -> Connected:
    """With its secrets. Raises Unavailable where this process can't open them."""
    try:
        return connect(connection, sealer)
    except DataError as error:
        raise Unavailable(error.detail, retry_after=60) from None


def url_of(request: Request, connected: Connected) -> str:
    """Where the tool calls us, as this request reached us; with the token only where calls need it."""
    path = f"v1/hooks/{connected.connection.id}"
    return f"{request.base_url}{path}/{connected.token}" if connected.needs_token else f"{request.base_url}{path}"


def bare(connection: Connection) -> dict[str, Any]:
    """For the audit log: no secret, sealed or not."""
    hidden = {"secret", "previous_secret", "token", "previous_token", "tenant_id"}
    return {name: value for name, value in msgspec.structs.asdict(connection).items() if name not in hidden}
