"""Whatever happens to a file, each record is found whole or not at all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from service.record.journal.frames import MAGIC, frames, scan, unframe

PAYLOADS = [b"first", b"", b"\0\0\0x", MAGIC + b"inside" + MAGIC, b"last" * 50]
SPACE = bytes(64)


def test_what_is_written_is_read_and_the_space_behind_it_is_none() -> None:
    data, places = frames(PAYLOADS)
    found = scan(data + SPACE)
    assert found == ([*zip(places, PAYLOADS, strict=True)], [], None)
    assert [unframe(data, place.start) for place in places] == PAYLOADS
    assert scan(SPACE) == scan(b"") == ([], [], None)


def test_a_file_cut_at_any_byte_gives_the_records_before_it() -> None:
    data, places = frames(PAYLOADS)
    for cut in range(len(data)):
        whole = [payload for place, payload in zip(places, PAYLOADS, strict=True) if place.end <= cut]
        found = scan(data[:cut] + SPACE)
        assert [payload for _, payload in found.records] == whole
        assert found.damaged == []
        assert (found.torn is None) == (cut in {0, *(place.end for place in places)})


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255), st.integers(1, 40))
def test_damage_anywhere_costs_only_what_it_touches(at: int, flip: int, length: int) -> None:
    data, places = frames(PAYLOADS)
    at %= len(data)
    length = min(length, len(data) - at)
    hurt = data[:at] + bytes(byte ^ flip for byte in data[at : at + length]) + data[at + length :]
    found = scan(hurt + SPACE)
    untouched = [
        payload
        for place, payload in zip(places, PAYLOADS, strict=True)
        if place.end <= at or place.start >= at + length
    ]
    assert [payload for _, payload in found.records] == untouched
    assert len(found.damaged) + (found.torn is not None) == 1
