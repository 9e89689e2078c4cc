"""Bodies and answers of `/v1/webhook-endpoints`, and the checks that need more than a schema."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from service.api.parameters import Body, Stored
from service.errors import Malformed, Problem
from service.notify.exchange import Answer, Heard, NotHeard, Verdict
from service.notify.send import Sender
from service.notify.standard import LEAST, MOST, is_secret, new_secret
from service.record.deliveries import Delivery, State
from service.record.endpoints import Endpoint, Envelope, Kind
from service.record.event import EVENT_TYPES, EventType

MAX_OVERLAP_HOURS = 168
SHOWN = 1000
"""Characters of an answer to a test."""

Url = Annotated[str, Field(min_length=1, max_length=2048, description="By https; where it leads is checked.")]
Types = Annotated[
    tuple[EventType, ...] | None,
    Field(min_length=1, max_length=len(EVENT_TYPES), description="What to tell; null: all, later ones too."),
]
Description = Annotated[str, Field(max_length=500), Stored]
Secret = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=200,
        description=f"`whsec_` and the base64 of {LEAST} to {MOST} bytes, or the robot's own; null: one is made for you.",
    ),
]


class EndpointBody(Body):
    """An endpoint to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"url": "https://hooks.example/shenyan", "events": ["incident.created", "sanction.started"]},
                {"url": "https://oapi.dingtalk.com/robot/send?access_token=x", "kind": "dingtalk_robot"},
            ]
        }
    )

    url: Url
    events: Types = None
    kind: Kind = "standard"
    envelope: Envelope = "standard"
    secret: Secret = None
    description: Description = ""
    enabled: bool = True


class EndpointPatch(Body):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": True}, {"events": ["incident.created"]}]})

    url: Url | None = None
    events: Types = None
    envelope: Envelope | None = None
    description: Description | None = None
    enabled: bool | None = None


class RotateBody(Body):
    """A new secret, and how long the old one signs too."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_hours": 24}]})

    secret: Secret = None
    overlap_hours: Annotated[int, Field(ge=0, le=MAX_OVERLAP_HOURS)] = 24


class EndpointOut(BaseModel):
    """An endpoint as it is stored, without its secret."""

    id: str
    url: str = Field(description="Without the values of its parameters, which may be secrets.")
    kind: Kind
    events: list[str]
    envelope: Envelope
    description: str
    enabled: bool
    disabled_reason: str | None = Field(description="Why the service switched it off; null when it did not.")
    disabled_at: datetime | None
    failing_since: datetime | None = Field(description="Of the first failure since the last success.")
    signed: bool
    old_secret_until: datetime | None = Field(description="Until then the secret before this one signs, too.")
    created_at: datetime
    updated_at: datetime


class EndpointMade(EndpointOut):
    """The same, with the secret, which is shown only now."""

    secret: str | None


class DeliveryOut(BaseModel):
    """One event on its way to one endpoint."""

    id: str
    event_id: str = Field(description="`webhook-id` of every attempt.")
    type: str
    subject: str
    state: State
    created_at: datetime
    attempts: int
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None = Field(description="null when it is over.")
    last_status: int | None = Field(description="HTTP status of the last answer.")
    last_error: str | None
    last_latency_ms: float | None
    finished_at: datetime | None


class DeliveryDetail(DeliveryOut):
    """The same, with what is sent."""

    data: dict[str, Any]


class TestOut(BaseModel):
    """What came back."""

    delivered: bool
    status: int | None
    error: str | None
    latency_ms: float
    response: str = Field(description="The first 1,000 characters of the answer's body.")


async def checked_url(sender: Sender, url: str) -> str:
    """Raises Malformed for an address to which nothing may be sent."""
    url = url.strip()
    if (reason := await sender.why_not(url)) is not None:
        raise Malformed("Nothing may be sent to this address.", problems=[Problem("/url", reason)])
    return url


def checked_secret(kind: Kind, secret: str | None) -> str | None:
    """The secret to keep: the given one, or a new one where this service makes it. Raises Malformed."""
    if kind == "standard":
        if secret is not None and not is_secret(secret):
            detail = f"should be whsec_ and the base64 of {LEAST} to {MOST} bytes"
            raise Malformed("The secret can't be used.", problems=[Problem("/secret", detail)])
        return secret or new_secret()
    if kind == "wecom_robot" and secret is not None:
        detail = "has no place here: this robot's secret is the key in its address"
        raise Malformed("The secret can't be used.", problems=[Problem("/secret", detail)])
    return secret


def checked_envelope(kind: Kind, envelope: Envelope) -> Envelope:
    """Raises Malformed for a robot in CloudEvents."""
    if kind != "standard" and envelope != "standard":
        problem = Problem("/envelope", "is for kind standard; a robot has a form of its own")
        raise Malformed("The envelope can't be used.", problems=[problem])
    return envelope


def stored_types(types: tuple[str, ...] | None) -> str:
    return "*" if types is None else " ".join(dict.fromkeys(types))


def endpoint_fields(endpoint: Endpoint, now: datetime) -> dict[str, Any]:
    fields = msgspec.structs.asdict(endpoint)
    until = endpoint.old_secret_until
    own = {
        "url": endpoint.url_shown,
        "events": endpoint.types,
        "signed": endpoint.secret_sealed is not None,
        "old_secret_until": until if until is not None and now < until else None,
    }
    return {name: value for name, value in fields.items() if name in EndpointOut.model_fields} | own


def audited(endpoint: Endpoint, now: datetime) -> dict[str, Any]:
    """What the audit log keeps of it: nothing secret, nothing that changes by itself."""
    by_itself = ("created_at", "updated_at", "failing_since", "disabled_at")
    return {name: value for name, value in endpoint_fields(endpoint, now).items() if name not in by_itself}


def delivery_fields(delivery: Delivery) -> dict[str, Any]:
    fields = {
        name: value for name, value in msgspec.structs.asdict(delivery).items() if name in DeliveryOut.model_fields
    }
    return fields | {"next_attempt_at": delivery.next_attempt_at if delivery.state == "pending" else None}


def test_out(answer: Answer, verdict: Verdict) -> TestOut:
    error = verdict.error if isinstance(verdict, NotHeard) else None
    return TestOut(
        delivered=isinstance(verdict, Heard),
        status=answer.status,
        error=error,
        latency_ms=answer.latency_ms,
        response=answer.body.decode("utf-8", "replace")[:SHOWN],
    )
