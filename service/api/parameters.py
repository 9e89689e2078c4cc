"""What the ordinary routes share: strict query strings, pages, times, the reason for the audit log, declared errors."""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Path, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from service.api.bodies import FIRST_YEAR, LAST_YEAR
from service.api.decode import require_json
from service.api.examples import PROBLEMS
from service.api.problem import MEDIA_TYPE
from service.errors import Malformed, Problem
from service.record.withhold import storable

T = TypeVar("T")
MAX_REASON = 512
PLUS_LOST = re.compile(r"(.*T.*) (\d\d:\d\d)$")


class Body(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last.")


def known_query(request: Request) -> None:
    """Raises Malformed for a query parameter that the route does not have, or has twice."""
    route: APIRoute = request.scope["route"]
    known = {field.alias for each in flat(route.dependant) for field in each.query_params}
    names = [name for name, _ in request.query_params.multi_items()]
    unknown = [f"query parameter `{name}` is not known" for name in names if name not in known]
    twice = [f"query parameter `{name}` is given twice" for name in known if names.count(name) > 1]
    if unknown or twice:
        detail = f"This route takes {', '.join(sorted(known)) or 'no query parameters'}."
        raise Malformed(detail, problems=[Problem("", text) for text in unknown + twice])


def flat(dependant: Dependant) -> list[Dependant]:
    """A route and all that it depends on."""
    return [dependant, *(inner for each in dependant.dependencies for inner in flat(each))]


def json_only(request: Request) -> None:
    """Raises UnsupportedMedia for a body that is not declared as JSON."""
    if request.method in ("POST", "PUT", "PATCH"):
        require_json(dict(request.scope["headers"]))


STRICT = [Depends(known_query), Depends(json_only)]
"""Dependencies of every router."""


def audit_reason(request: Request) -> str | None:
    """`X-Audit-Reason`, UTF-8, up to 512 characters. Raises Malformed for a longer one."""
    header = request.headers.get("x-audit-reason")
    if header is None:
        return None
    raw = header.encode("latin-1")
    try:
        reason = raw.decode("utf-8")
    except UnicodeDecodeError:
        reason = header
    if len(reason) > MAX_REASON:
        problem = Problem("", f"header X-Audit-Reason: at most {MAX_REASON} characters")
        raise Malformed("The reason for the audit log is too long.", problems=[problem])
    return storable(reason)


def _plus(value: object) -> object:
    """In a query string an unescaped + arrives as a blank."""
    lost = PLUS_LOST.fullmatch(value) if isinstance(value, str) else None
    return f"{lost[1]}+{lost[2]}" if lost else value


def _within_reach(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"should lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment


AuditReason = Annotated[str | None, Depends(audit_reason)]
Stored = AfterValidator(storable)
Moment = Annotated[AwareDatetime, BeforeValidator(_plus), AfterValidator(_within_reach)]
Word = Annotated[str, Field(min_length=1, max_length=128), Stored]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page.")]
Cursor = Annotated[str | None, Query(max_length=1024, description="`next_cursor` of the page before.")]
Name = Annotated[str, Path(min_length=1, max_length=128), Stored]


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declares error answers; 401, 403, 429 and 503 can come from every route."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema, "example": PROBLEMS[status]}},
        }
        | ({"headers": RETRY_AFTER} if status in (429, 503) else {})
        for status in sorted({*statuses, 401, 403, 422, 429, 500, 503})
    }


RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
