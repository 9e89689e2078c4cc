"""The one error tree. Every error carries a stable `code`, an HTTP status and a message that says what to do next.

ShenyanError
├── DataError            a lexicon, policy or table file is wrong; start refuses
├── BadRequest           400  the body is not JSON
├── NotAForm             400  the body is not multipart/form-data, or is cut off
├── Unauthorized         401  no key, or a key we do not know
├── Forbidden            403  the key's role may not do this
├── NotFound             404  nothing by that name in this tenant
├── Conflict             409  the state does not allow it, or an id was used for other content
├── Stale                412  another has changed it since it was read
├── NeedsPrecondition    428  a change must say by If-Match which state it is of
├── TooLarge             413  a body or attachment over its limit
├── UnsupportedMedia     415  not application/json, nor a form where one is taken
├── Malformed            422  JSON, but not of the documented shape
├── RateLimited          429  this key's rate is used up; Retry-After says how long
└── Unavailable          503  saturated or no store; Retry-After says how long
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One place in a request body that is wrong."""

    pointer: str
    """JSON pointer into the body (RFC 6901), "" for the whole."""
    detail: str
    """What is wrong there and what would be right."""


class ShenyanError(Exception):
    """Base of all errors that this service raises on purpose."""

    code = "internal"
    status = 500
    title = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        problems: Sequence[Problem] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.problems = tuple(problems)
        self.retry_after = retry_after
        """Seconds after which trying again makes sense."""


class DataError(ShenyanError):
    """A data file is wrong; the text names file, line and column, shows the line with a caret and gives a hint."""

    code = "bad_data"
    title = "Bad data file"


class BadRequest(ShenyanError):
    code, status, title = "not_json", 400, "Not JSON"


class NotAForm(ShenyanError):
    code, status, title = "not_a_form", 400, "Not a form"


class Unauthorized(ShenyanError):
    code, status, title = "unauthorized", 401, "Unauthorized"


class Forbidden(ShenyanError):
    code, status, title = "forbidden", 403, "Forbidden"


class NotFound(ShenyanError):
    code, status, title = "not_found", 404, "Not found"


class Conflict(ShenyanError):
    code, status, title = "conflict", 409, "Conflict"


class Stale(ShenyanError):
    code, status, title = "stale", 412, "Stale"


class NeedsPrecondition(ShenyanError):
    code, status, title = "if_match_required", 428, "If-Match required"


class TooLarge(ShenyanError):
    code, status, title = "too_large", 413, "Too large"


class UnsupportedMedia(ShenyanError):
    code, status, title = "unsupported_media_type", 415, "Unsupported media type"


class Malformed(ShenyanError):
    code, status, title = "malformed", 422, "Malformed"


class RateLimited(ShenyanError):
    code, status, title = "rate_limited", 429, "Too many requests"


class Unavailable(ShenyanError):
    code, status, title = "unavailable", 503, "Unavailable"
