"""Attachments as the engine takes them: fetched where that is switched on, looked through off the event loop."""

from __future__ import annotations

import asyncio
import binascii
import re
from base64 import b64decode
from collections.abc import Sequence

from service.api.bodies import Attachment
from service.errors import Malformed, Problem
from service.normalise.picture import inspect_image
from service.outbound.fetch import Fetcher, NotFetched
from service.text.message import Image

SWITCHED_OFF = NotFetched("not fetched")
ADVICE = re.compile("[:;]")
"""What the sender of a picture should do follows; there is no one to tell it for a picture that was fetched."""


async def inspect_attachments(attachments: Sequence[Attachment], fetcher: Fetcher | None) -> tuple[Image, ...]:
    """One image for each attachment, in order; without a `fetcher` those with an address are not looked at.

    Raises Malformed with a pointer to what is no readable picture. What could not be fetched, or was fetched and is no
    picture, is skipped: the address may be at fault, not who sent it.
    """
    fetched = await asyncio.gather(*(fetch(attachment, fetcher) for attachment in attachments))
    images = []
    # One after the other: an opened picture can take a hundred times the memory of its file.
    for index, (attachment, file) in enumerate(zip(attachments, fetched, strict=True)):
        images.append(await _inspect_sent(attachment, index) if file is None else await _inspect_fetched(file))
    return tuple(images)


async def fetch(attachment: Attachment, fetcher: Fetcher | None) -> bytes | NotFetched | None:
    """None for what is sent by value."""
    if attachment.url is None:
        return None
    return await fetcher.fetch(attachment.url) if fetcher else SWITCHED_OFF


async def _inspect_sent(attachment: Attachment, index: int) -> Image:
    try:
        return await asyncio.to_thread(_decode_and_inspect, attachment.data or "")
    except Malformed as error:
        problem = Problem(f"/attachments/{index}/data", error.detail)
        raise Malformed("An attachment can't be read.", problems=[problem]) from None


async def _inspect_fetched(file: bytes | NotFetched) -> Image:
    if isinstance(file, NotFetched):
        return Image(skipped=file.reason)
    try:
        return await asyncio.to_thread(inspect_image, file)
    except Malformed as error:
        return Image(skipped=ADVICE.split(error.detail)[0])


def _decode_and_inspect(data: str) -> Image:
    try:
        picture = b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("is not base64 (RFC 4648, standard alphabet, padded)") from None
    return inspect_image(picture)
