"""The OpenAPI document: what FastAPI knows of the ordinary routes, and the exact shapes of the ones that carry the load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from service.api import examples
from service.api.access import Requires
from service.api.answer import Answer, FindingOut
from service.api.bodies import MAX_ATTACHMENTS, AnalyzeBody, ModerateBody, ModerationsBody
from service.api.form import IMAGE, MESSAGE
from service.api.hot import MODERATORS, Handle
from service.api.parameters import MAX_REASON, audit_reason, errors, flat
from service.api.problem import ProblemBody
from service.api.routes import (
    audit,
    backtests,
    cases,
    connections,
    deliveries,
    exchange,
    hooks,
    incidents,
    keys,
    ladders,
    lexicons,
    operations,
    policies,
    publishing,
    reviews,
    sanctions,
    shadows,
    shops,
    standings,
    stats,
    tenants,
    terms,
    trial,
    webhooks,
)
from service.api.routes.moderate import BatchAnswer, analyze, moderate, moderate_batch
from service.api.routes.moderations import ModerationsAnswer, moderations

REF = "#/components/schemas/{name}"


class ModerateBatch(msgspec.Struct):
    """Several messages at once."""

    messages: list[ModerateBody]


ROUTERS = (
    operations.router,
    incidents.router,
    reviews.router,
    standings.router,
    sanctions.router,
    ladders.router,
    stats.router,
    lexicons.router,
    terms.router,
    cases.router,
    backtests.router,
    exchange.router,
    publishing.router,
    shadows.router,
    policies.router,
    connections.router,
    trial.router,
    hooks.router,
    keys.router,
    shops.router,
    tenants.router,
    audit.router,
    webhooks.router,
    webhooks.bare,
    deliveries.router,
)
"""The ordinary routes."""


@dataclass(frozen=True)
class HotOperation:
    """A route that carries the load, as the document tells of it."""

    path: str
    handle: Handle
    body: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    summary: str
    request_examples: Mapping[str, Any]
    answer_examples: Mapping[str, Any]
    statuses: tuple[int, ...] = (400, 413, 415)
    retries: bool = False
    """Takes an Idempotency-Key."""
    takes_forms: bool = False
    """Takes the body as multipart/form-data, too, with pictures as files."""


OPERATIONS = (
    HotOperation(
        "/v1/moderate",
        moderate,
        ModerateBody,
        Answer,
        "Decide on a message and record it",
        examples.MODERATE,
        examples.ANSWER,
        statuses=(400, 409, 413, 415),
        retries=True,
        takes_forms=True,
    ),
    HotOperation(
        "/v1/moderate/batch",
        moderate_batch,
        ModerateBatch,
        BatchAnswer,
        "Decide on up to 100 messages, each with its own status",
        examples.BATCH,
        examples.BATCH_ANSWER,
        retries=True,
    ),
    HotOperation(
        "/v1/analyze",
        analyze,
        AnalyzeBody,
        Answer,
        "Decide only",
        examples.ANALYZE,
        examples.ANSWER,
        takes_forms=True,
    ),
    HotOperation(
        "/v1/moderations",
        moderations,
        ModerationsBody,
        ModerationsAnswer,
        "Decide only, in the OpenAI moderation shape",
        examples.MODERATIONS,
        examples.MODERATIONS_ANSWER,
    ),
)


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The document of all routes. Made once, on the first request for it."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    schemas = document["components"]["schemas"]
    schemas.update(_struct_schemas())
    for name in ("IncidentOut", "AppealedOut", "ReviewedOut"):
        schemas[name]["properties"]["findings"]["items"] = {"$ref": REF.format(name="FindingOut")}
    for operation in OPERATIONS:
        document["paths"][operation.path] = {"post": _hot(operation)}
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for route in (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)):
        _add_roles(route, document["paths"][route.path_format])
    return document


def _struct_schemas() -> dict[str, Any]:
    structs = [ProblemBody, FindingOut, *(s for o in OPERATIONS for s in (o.body, o.answer))]
    # Our own name for it, so that a client's generated type is called Problem.
    _, schemas = msgspec.json.schema_components(structs, ref_template=REF)
    text = msgspec.json.encode(schemas).replace(b"schemas/ProblemBody", b"schemas/Problem")
    renamed: dict[str, Any] = msgspec.json.decode(text)
    renamed["Problem"] = renamed.pop("ProblemBody")
    batch = renamed["ModerateBatch"]["properties"]["messages"]
    batch |= {"minItems": 1, "maxItems": 100}
    renamed["ModerateBatch"]["additionalProperties"] = False
    return renamed


def _hot(operation: HotOperation) -> dict[str, Any]:
    def content(struct: type[msgspec.Struct], samples: Mapping[str, Any]) -> dict[str, Any]:
        named = {name: {"value": value} for name, value in samples.items()}
        schema = {"$ref": REF.format(name=struct.__name__)}
        return {"application/json": {"schema": schema, "examples": named}}

    taken = content(operation.body, operation.request_examples)
    if operation.takes_forms:
        taken["multipart/form-data"] = _form(operation.body)
    answer = {"description": "Decided", "content": content(operation.answer, operation.answer_examples)}
    declared = {str(status): response for status, response in errors(*operation.statuses).items()}
    described: dict[str, Any] = {
        "tags": ["moderation"],
        "operationId": operation.handle.__name__,
        "summary": operation.summary,
        "description": operation.handle.__doc__,
        "x-roles": sorted(MODERATORS),
        "security": [{"key": []}],
        "parameters": [LANGUAGE] + [IDEMPOTENCY] * operation.retries,
        "requestBody": {"required": True, "content": taken},
        "responses": {"200": answer, **declared},
    }
    return described


def _form(body: type[msgspec.Struct]) -> dict[str, Any]:
    files = {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MAX_ATTACHMENTS}
    return {
        "schema": {
            "type": "object",
            "properties": {
                MESSAGE: {"$ref": REF.format(name=body.__name__)},
                IMAGE: files | {"description": "Pictures as files; they come after the `attachments` of the message."},
            },
            "required": [MESSAGE],
            "additionalProperties": False,
        },
        "encoding": {MESSAGE: {"contentType": "application/json"}},
    }


def _add_roles(route: APIRoute, path: dict[str, Any]) -> None:
    roles = next((each.call.roles for each in flat(route.dependant) if isinstance(each.call, Requires)), None)
    if roles is None:
        return
    for method in route.methods or ():
        described = path[method.lower()]
        described |= {"x-roles": sorted(roles), "security": [{"key": []}]}
        if any(each.call is audit_reason for each in flat(route.dependant)):
            described.setdefault("parameters", []).append(AUDIT_REASON)


LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "examples": ["zh-CN", "en"]},
    "description": "zh-CN (default) or en: the language of reason, agent_message and suggestion.",
}
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
    "description": "A retry with the same key and content gets the stored answer; other content is refused, 409.",
}
AUDIT_REASON = {
    "name": "X-Audit-Reason",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": MAX_REASON},
    "description": "Kept in the audit log beside the change.",
}
