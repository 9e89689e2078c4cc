"""Errors as answers: RFC 9457 `application/problem+json`, one shape for every error of every route.

In: an error of `service/errors.py`, or what the framework raises by itself. Out: a response. What went wrong inside is
logged by name and place only: an exception's text may hold a message or a key, so it is never written anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.errors import BadRequest, DataError, Malformed, Problem, ShenyanError

MEDIA_TYPE = "application/problem+json"
FRAMEWORK_CODES = {404: "not_found", 405: "method_not_allowed", 400: "not_json", 413: "too_large"}


class WrongPlace(msgspec.Struct, frozen=True):
    """One place in the request that is wrong."""

    pointer: str
    """JSON pointer into the body (RFC 6901); empty for the whole request, a header or a query parameter."""
    detail: str


class ProblemBody(msgspec.Struct, frozen=True, rename={"kind": "type"}):
    """What every error answer looks like."""

    kind: str
    """Where this code is explained, relative to the service."""
    title: str
    status: int
    detail: str
    """What is wrong, and what to do next."""
    code: str
    """Stable; made for programs."""
    request_id: str
    errors: list[WrongPlace] = []


def problem_of(error: ShenyanError, request_id: str) -> ProblemBody:
    """The answer for an error. A data file's text stays inside: it is for whoever starts the service."""
    internal = error.status >= 500 and (error.status == 500 or isinstance(error, DataError))
    return ProblemBody(
        kind=f"/docs#error-{error.code}",
        title=error.title,
        status=error.status,
        detail="Something went wrong here; the log has it under this request_id." if internal else error.detail,
        code=error.code,
        request_id=request_id,
        errors=[WrongPlace(place.pointer, place.detail) for place in error.problems],
    )


def problem_response(error: ShenyanError, request_id: str) -> Response:
    """The same as a response, with `Retry-After` (whole seconds, at least 1) and `WWW-Authenticate` where they belong."""
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = msgspec.json.encode(problem_of(error, request_id))
    return Response(body, error.status, headers, media_type=MEDIA_TYPE)


def places_of(errors: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """pydantic's errors as places: a pointer into the body, or the name of the parameter in words."""
    places = []
    for error in errors:
        where, *path = error["loc"]
        if where == "body":
            places.append(Problem("".join(f"/{escape(str(step))}" for step in path), error["msg"]))
        else:
            places.append(Problem("", f"{where} parameter `{'.'.join(map(str, path))}`: {error['msg']}"))
    return places


def escape(step: str) -> str:
    """One step of a JSON pointer."""
    return step.replace("~", "~0").replace("/", "~1")


def answer_errors_as_problems(app: FastAPI) -> None:
    """Registers the handlers, so that FastAPI's and Starlette's own errors look like ours."""

    def ours(request: Request, error: Exception) -> Response:
        return problem_response(cast(ShenyanError, error), request.state.request_id)

    def invalid(request: Request, error: Exception) -> Response:
        details = cast(RequestValidationError, error).errors()
        if any(each["type"] == "json_invalid" for each in details):
            return ours(request, BadRequest("The body is not JSON, or it is cut off."))
        return ours(request, Malformed("The request is not of the documented shape.", problems=places_of(details)))

    def framework(request: Request, error: Exception) -> Response:
        error = cast(HTTPException, error)
        if isinstance(error.__cause__, ShenyanError):
            return ours(request, error.__cause__)
        if error.status_code == 400:
            return ours(request, BadRequest("The body could not be read as JSON in UTF-8."))
        phrase = HTTPStatus(error.status_code).phrase
        known = ShenyanError(f"{phrase}: {request.method} {request.url.path}; /docs lists what there is.")
        known.status, known.title = error.status_code, phrase
        known.code = FRAMEWORK_CODES.get(error.status_code, phrase.lower().replace(" ", "_"))
        response = ours(request, known)
        response.headers.update(error.headers or {})
        return response

    app.add_exception_handler(ShenyanError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, framework)
