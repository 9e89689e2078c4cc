"""Bytes become a checked body, or an error that points at each wrong place.

The good road is one call into msgspec. Only what it refuses is looked at again, slowly, to say everything that is wrong
and what would be right.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Literal, TypeVar

import msgspec
from starlette.types import Receive

from service.api.problem import escape
from service.errors import BadRequest, Malformed, Problem, TooLarge, UnsupportedMedia

T = TypeVar("T")
# Past this a refused body is not taken apart to find the reason: it would cost more than the reason is worth.
MAX_EXPLAINED = 1024 * 1024
MAX_PROBLEMS = 50


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """The whole body. Raises TooLarge, by its declared length before the first byte is read; BadRequest when it breaks off."""
    declared = headers.get(b"content-length")
    if declared is not None and declared.isdigit():
        within_limit(b"", int(declared), limit)
    message = await receive()
    body: bytes = whole(message, message.get("body", b""))
    if not message.get("more_body"):
        return within_limit(body, len(body), limit)
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        part = whole(message, message.get("body", b""))
        size += len(part)
        parts.append(within_limit(part, size, limit))
    return b"".join(parts)


def within_limit(part: bytes, size: int, limit: int) -> bytes:
    """`part`, unless what was read with it is over the limit."""
    if size > limit:
        raise TooLarge(f"The body is over {limit:,} bytes; send less at once.")
    return part


def whole(message: Mapping[str, Any], body: bytes) -> bytes:
    """`body`, unless the client has gone away in the middle of it."""
    if message["type"] == "http.disconnect":
        raise BadRequest("The connection broke off before the body was complete.")
    return body


def require_json(headers: Mapping[bytes, bytes]) -> None:
    """Raises UnsupportedMedia unless the body is declared as plain JSON in UTF-8."""
    declared = headers.get(b"content-type", b"")
    if declared != b"application/json":
        kind, *parameters = declared.decode("latin-1").lower().replace(" ", "").split(";")
        if kind != "application/json" or any(p.strip('"') not in ACCEPTED_PARAMETERS for p in parameters):
            raise UnsupportedMedia("Send the body as `Content-Type: application/json` in UTF-8.")
    refuse_encoding(headers)


def refuse_encoding(headers: Mapping[bytes, bytes]) -> None:
    """Raises UnsupportedMedia for a compressed body."""
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise UnsupportedMedia("Send the body without Content-Encoding; compressed bodies are not read.")


ACCEPTED_PARAMETERS = {"", "charset=utf-8", 'charset="utf-8', "charset=utf8"}


def decode(decoder: msgspec.json.Decoder[T], body: bytes | msgspec.Raw) -> T:
    """The body as the decoder's type.

    Raises BadRequest for what is not JSON, Malformed for JSON of another shape or with a lone surrogate in a string.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        sentence = str(error)
    except UNREADABLE as error:
        raise refusal(error, bytes(body)) from None
    try:
        problems = list(islice(explain(bytes(body), decoder.type), MAX_PROBLEMS))
    except UNREADABLE as error:
        # It was refused for its shape before the place where it stops being JSON.
        raise refusal(error, bytes(body)) from None
    raise Malformed("The body is not of the documented shape.", problems=problems or [problem_of(sentence)])


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def refusal(error: Exception, body: bytes) -> BadRequest | Malformed:
    """Why bytes can't be read."""
    if isinstance(error, RecursionError):
        return BadRequest("The body is nested too deeply.")
    if surrogate := lone_surrogate(body):
        return Malformed("A string holds half of a character.", problems=[surrogate])
    reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).rstrip(".")
    return BadRequest(f"The body is not JSON, or it is cut off: {reason}.")


def problem_of(message: str) -> Problem:
    """msgspec's own sentence, ``Expected `str`, got `int` - at `$.messages[3].text` ``, as a place and a detail."""
    detail, _, place = message.partition(" - at `$")
    return Problem(place.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/"), detail)


def explain(body: bytes, kind: Any) -> Iterator[Problem]:
    """Every wrong place of a body that is JSON; none of one that is too long to be taken apart."""
    if len(body) <= MAX_EXPLAINED:
        yield from wrong_places(msgspec.json.decode(body), kind, "")


def wrong_places(value: Any, kind: Any, pointer: str) -> Iterator[Problem]:
    """Every place in `value` that does not fit the type `kind`."""
    bare = typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct) and isinstance(value, dict):
        yield from wrong_fields(value, bare, pointer)
        return
    choices = [arm for arm in typing.get_args(bare) if arm is not type(None)] if is_union(bare) else []
    if len(choices) == 1 and value is not None:
        yield from wrong_places(value, choices[0], pointer)
        return
    if typing.get_origin(bare) is list and isinstance(value, list):
        inner = [
            p for i, item in enumerate(value) for p in wrong_places(item, typing.get_args(bare)[0], f"{pointer}/{i}")
        ]
        if inner:
            yield from inner
            return
    if kind is msgspec.Raw:
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        place = problem_of(str(error))
        detail = place.detail
        if typing.get_origin(bare) is Literal:
            detail = "should be one of " + ", ".join(map(str, typing.get_args(bare)))
        elif bare is datetime:
            detail = "should be a time in RFC 3339 with offset, such as 2026-03-01T20:15:00+08:00"
        yield Problem(pointer + place.pointer, detail)


def wrong_fields(value: Mapping[str, Any], kind: type[msgspec.Struct], pointer: str) -> Iterator[Problem]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    tag = kind.__struct_config__.tag_field
    for name in value:
        if name not in fields and name != tag:
            yield Problem(f"{pointer}/{escape(name)}", f"is not known; there are {', '.join(fields)}")
    for name, field in fields.items():
        if name in value:
            yield from wrong_places(value[name], field.type, f"{pointer}/{name}")
        elif field.required:
            yield Problem(f"{pointer}/{name}", "is required")


def is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def lone_surrogate(body: bytes) -> Problem | None:
    """The first string with half of a surrogate pair, which JSON's escapes can write and UTF-8 can't."""
    if b"\\u" not in body or len(body) > MAX_EXPLAINED:
        return None
    try:
        return find_surrogate(json.loads(body), "")
    except (ValueError, RecursionError):
        return None


def find_surrogate(value: Any, pointer: str) -> Problem | None:
    if isinstance(value, str):
        broken = any("\ud800" <= character <= "\udfff" for character in value)
        return (
            Problem(pointer, "holds a lone surrogate (\\ud800 to \\udfff); send whole characters") if broken else None
        )
    if isinstance(value, dict):
        for name, item in value.items():
            if problem := find_surrogate(name, pointer) or find_surrogate(item, f"{pointer}/{escape(name)}"):
                return problem
    if isinstance(value, list):
        for index, item in enumerate(value):
            if problem := find_surrogate(item, f"{pointer}/{index}"):
                return problem
    return None
