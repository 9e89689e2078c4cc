"""Attachments as the engine takes them: pictures are looked through off the event loop, addresses are not fetched."""

from __future__ import annotations

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Sequence

from service.api.bodies import Attachment
from service.errors import Malformed, Problem
from service.normalise.picture import inspect_image
from service.text.message import Image

NOT_FETCHED = Image(skipped="not fetched")


async def inspect_attachments(attachments: Sequence[Attachment]) -> tuple[Image, ...]:
    """One image for each attachment, in order. Raises Malformed with a pointer to what is no readable picture."""
    return tuple([await _inspect(attachment, index) for index, attachment in enumerate(attachments)])


async def _inspect(attachment: Attachment, index: int) -> Image:
    if attachment.data is None:
        return NOT_FETCHED
    try:
        return await asyncio.to_thread(_decode_and_inspect, attachment.data)
    except Malformed as error:
        problem = Problem(f"/attachments/{index}/data", error.detail)
        raise Malformed("An attachment can't be read.", problems=[problem]) from None


def _decode_and_inspect(data: str) -> Image:
    try:
        picture = b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("is not base64 (RFC 4648, standard alphabet, padded)") from None
    return inspect_image(picture)
