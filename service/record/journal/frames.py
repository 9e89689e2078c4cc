"""Records in a file: each with its length and a digest, so that a torn or damaged one is known and the next one found.

    "SYJ" 0x01 | length, 4 bytes, little-endian | BLAKE2b-128 of length and payload | payload

Behind the last record are zeros, for files are given their space beforehand.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

MAGIC = b"SYJ\x01"
_HEAD = struct.Struct("<4sI16s")


class Place(NamedTuple):
    """A stretch of a file, in bytes; the end is not included."""

    start: int
    end: int


class Scan(NamedTuple):
    """What a file holds."""

    records: list[tuple[Place, bytes]]
    """Payloads, and where their frames stand."""
    damaged: list[Place]
    """What is no record but has records behind it."""
    torn: Place | None
    """What is no record at the end: a write that never came to its end, so nobody was told that it did."""


def frame(payload: bytes) -> bytes:
    """The payload as it stands in a file."""
    return _HEAD.pack(MAGIC, len(payload), _digest(payload)) + payload


def frames(payloads: Iterable[bytes]) -> tuple[bytes, list[Place]]:
    """Several frames in a row, and where each stands among them."""
    framed = [frame(payload) for payload in payloads]
    places = []
    start = 0
    for each in framed:
        places.append(Place(start, start + len(each)))
        start += len(each)
    return b"".join(framed), places


def unframe(data: bytes, start: int = 0) -> bytes | None:
    """The payload of the frame that begins at `start`; None where there is no whole one."""
    if len(data) < start + _HEAD.size or data[start : start + len(MAGIC)] != MAGIC:
        return None
    _, length, digest = _HEAD.unpack_from(data, start)
    begin = start + _HEAD.size
    if begin + length > len(data):
        return None
    payload = data[begin : begin + length]
    return payload if _digest(payload) == digest else None


def scan(data: bytes) -> Scan:
    """All records of a file, also those behind damaged ones."""
    records: list[tuple[Place, bytes]] = []
    damaged: list[Place] = []
    position = 0
    while True:
        found = _next(data, position)
        if found is None:
            end = len(data.rstrip(b"\0"))
            return Scan(records, damaged, Place(position, end) if end > position else None)
        start, payload = found
        if start > position:
            damaged.append(Place(position, start))
        position = start + _HEAD.size + len(payload)
        records.append((Place(start, position), payload))


def _next(data: bytes, position: int) -> tuple[int, bytes] | None:
    start = data.find(MAGIC, position)
    while start >= 0:
        payload = unframe(data, start)
        if payload is not None:
            return start, payload
        start = data.find(MAGIC, start + 1)
    return None


def _digest(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=16, salt=len(payload).to_bytes(4, "little")).digest()
