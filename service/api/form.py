"""A multipart/form-data body becomes the JSON of a message and the pictures beside it. No part is kept on disk.

The parts are `message`, once, and `image`, up to five times; their own content types and file names do not matter.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.api.bodies import MAX_ATTACHMENTS, AnalyzeBody, Attachment
from service.api.problem import escape
from service.errors import Malformed, NotAForm, Problem
from service.normalise.picture import MAX_BYTES

FORM = b"multipart/form-data"
MESSAGE, IMAGE = "message", "image"
MAX_PARTS = 1 + MAX_ATTACHMENTS
TOO_MANY = f"at most {MAX_ATTACHMENTS} pictures, those in the message and in the form together"


def is_form(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"content-type", b"").partition(b";")[0].strip().lower() == FORM


class Parts:
    """Collects what the parser calls out: names and contents of the parts, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.contents: list[bytearray] = []
        self.complete = False
        self._field, self._value, self._disposition = bytearray(), bytearray(), b""

    def on_part_begin(self) -> None:
        if len(self.contents) == MAX_PARTS:
            raise Malformed("The form has too many parts.", problems=[Problem("/attachments", TOO_MANY)])
        self.contents.append(bytearray())
        self._disposition = b""

    def on_header_begin(self) -> None:
        self._field, self._value = bytearray(), bytearray()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = bytes(self._value)

    def on_headers_finished(self) -> None:
        name = parse_options_header(self._disposition)[1].get(b"name", b"").decode("utf-8", "replace")
        if name not in (MESSAGE, IMAGE):
            problem = Problem(f"/{escape(name)}", f"is not known; there are {MESSAGE} and {IMAGE}")
            raise Malformed("The form has a part that is not known.", problems=[problem])
        self.names.append(name)

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.contents[-1] += data[start:end]

    def on_end(self) -> None:
        self.complete = True


def read_form(content_type: bytes, body: bytes) -> tuple[bytes, list[bytes]]:
    """The JSON of the message, and each picture's file.

    Raises NotAForm for what is no form or is cut off, Malformed for parts of other names or other numbers.
    """
    boundary = parse_options_header(content_type.decode("latin-1"))[1].get(b"boundary")
    if not boundary:
        raise NotAForm("The form has no boundary; let the HTTP client write the Content-Type.")
    parts = Parts()
    callbacks = {name: getattr(parts, name) for name in dir(parts) if name.startswith("on_")}
    try:
        parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        parser.write(body)
    except FormParserError as error:
        raise NotAForm(f"The body is not multipart/form-data: {str(error).rstrip('.')}.") from None
    if not parts.complete:
        raise NotAForm("The form is cut off: its last boundary is missing.")
    named = list(zip(parts.names, map(bytes, parts.contents), strict=True))
    messages = [content for name, content in named if name == MESSAGE]
    if len(messages) != 1:
        problem = Problem(f"/{MESSAGE}", "is required" if not messages else "is there more than once")
        raise Malformed("The form needs one message.", problems=[problem])
    return messages[0], [content for name, content in named if name == IMAGE]


async def attach(body: AnalyzeBody, files: Sequence[bytes]) -> None:
    """Puts the pictures of the form behind those of the message, so that a retry may send either.

    Raises Malformed, with the place that they have there, for too many or too large ones.
    """
    if not files:
        return
    first = len(body.attachments)
    problems = [
        Problem(f"/attachments/{first + index}/data", f"is larger than {MAX_BYTES // 1024 // 1024} MiB")
        for index, file in enumerate(files)
        if len(file) > MAX_BYTES
    ]
    if first + len(files) > MAX_ATTACHMENTS:
        problems.append(Problem("/attachments", TOO_MANY))
    if problems:
        raise Malformed("The pictures can't be taken.", problems=problems)
    body.attachments = [*body.attachments, *await asyncio.to_thread(by_value, files)]


def by_value(files: Sequence[bytes]) -> list[Attachment]:
    return [Attachment(type="image", data=b64encode(file).decode("ascii")) for file in files]
