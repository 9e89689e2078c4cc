"""Attachments as the engine takes them: pictures are looked through off the event loop, addresses are not fetched."""

from __future__ import annotations

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module

from service.api.bodies import MAX_IMAGE, Attachment
from service.errors import Malformed, Problem
from service.text.message import Image

NOT_FETCHED = Image(skipped="not fetched")
NOT_INSPECTED = Image(skipped="not inspected")


async def inspect_attachments(attachments: Sequence[Attachment]) -> tuple[Image, ...]:
    """One image for each attachment, in order. Raises Malformed with a pointer to what is no readable picture."""
    return tuple([await _inspect(attachment, index) for index, attachment in enumerate(attachments)])


async def _inspect(attachment: Attachment, index: int) -> Image:
    if attachment.data is None:
        return NOT_FETCHED
    try:
        return await asyncio.to_thread(_decode_and_inspect, attachment.data)
    except (binascii.Error, ValueError):
        detail = "is not base64 (RFC 4648, standard alphabet, padded)"
    except Malformed as error:
        detail = error.detail
    pointer = f"/attachments/{index}/data"
    raise Malformed("An attachment can't be read.", problems=[Problem(pointer, detail)])


@cache
def inspector() -> Callable[[bytes], Image]:
    """What looks into pictures; where this build has nothing that can, each one counts as not inspected."""
    try:
        module = import_module("service.normalise.picture")
    except ModuleNotFoundError:
        return lambda _: NOT_INSPECTED
    inspect: Callable[[bytes], Image] = module.inspect_image
    return inspect


def _decode_and_inspect(data: str) -> Image:
    picture = b64decode(data, validate=True)
    if len(picture) > MAX_IMAGE:
        raise Malformed(f"is {len(picture):,} bytes; at most {MAX_IMAGE:,}")
    return inspector()(picture)
