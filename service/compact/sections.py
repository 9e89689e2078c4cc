"""Named sections in one run of bytes, each on a boundary of 8, with a checksum over all. Bytes in, views of them out."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping

import msgspec

MAGIC = b"SHENYAN1"
DIGEST = 32
_HEAD = 8
Sections = Mapping[str, memoryview]


def join_sections(sections: Mapping[str, bytes]) -> Iterator[bytes]:
    """The pieces of a file, one after the other."""
    places, place = {}, 0
    for name, data in sections.items():
        places[name] = (place, len(data))
        place += padded(len(data))
    index = msgspec.msgpack.encode((sys.byteorder, places))
    digest = hashlib.sha256()
    for piece in (MAGIC, len(index).to_bytes(_HEAD, "little"), index, *sections.values()):
        data = piece + bytes(padded(len(piece)) - len(piece))
        digest.update(data)
        yield data
    yield digest.digest()


def split_sections(data: memoryview) -> Sections:
    """The sections of what `join_sections` made. Raises ValueError for anything else; the checksum is `is_whole`'s affair."""
    size = int.from_bytes(data[8:16], "little")
    if bytes(data[:8]) != MAGIC or not 0 < size < len(data):
        raise ValueError("no bundle of this kind")
    try:
        order, places = msgspec.msgpack.decode(data[16 : 16 + size], type=tuple[str, dict[str, tuple[int, int]]])
    except msgspec.DecodeError as error:
        raise ValueError(f"its index can't be read: {error}") from None
    if order != sys.byteorder:
        raise ValueError("it was made on another kind of machine")
    start = 16 + padded(size)
    return {name: data[start + place : start + place + length] for name, (place, length) in places.items()}


def padded(length: int) -> int:
    return -(-length // 8) * 8
