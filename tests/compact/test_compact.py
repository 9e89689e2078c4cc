"""What is read where it lies gives back what was put in, and finds what an automaton finds."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compact.rows import pack_rows, read_rows
from service.compact.scan import Scan, pack_scan
from service.compact.sections import join_sections, split_sections
from service.compact.table import MISSING, Table, pack_table
from service.match.automaton import Automaton

LETTERS = st.text("微信加v1😀\ue001", max_size=12)


def opened(sections: Mapping[str, bytes]) -> dict[str, memoryview]:
    return {name: memoryview(data) for name, data in sections.items()}


@given(st.sets(LETTERS.filter(bool)), LETTERS, LETTERS)
def test_a_scan_finds_what_an_automaton_finds_in_its_order(patterns: set[str], left: str, right: str) -> None:
    ordered, text = sorted(patterns), left + right + left
    scan = Scan("x", opened(pack_scan("x", ordered)))
    assert list(scan.scan(text)) == list(Automaton(ordered).scan(text))


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 10, 300])
def test_every_length_is_found(length: int) -> None:
    pattern = "一" * length
    scan = Scan("x", opened(pack_scan("x", [pattern])))
    assert [last for last, _ in scan.scan(f"好{pattern}好")] == [length]
    assert list(scan.scan(pattern[1:])) == []


@given(st.dictionaries(st.text(max_size=4), st.integers(0, 2**64 - 1)), st.text(max_size=4))
def test_a_table_has_what_was_put_in_and_nothing_else(entries: dict[str, int], other: str) -> None:
    table = Table(memoryview(pack_table(entries)))
    assert {key: table.find(key) for key in entries} == entries
    assert table.find(other) == entries.get(other, MISSING)
    assert (other in table, len(table)) == (other in entries, len(entries))


@given(st.lists(st.binary(max_size=9)))
def test_rows_come_back_in_order(rows: list[bytes]) -> None:
    packed = read_rows(memoryview(pack_rows(rows)), bytes)
    assert list(packed) == rows
    assert list(packed[1:]) == rows[1:]
    with pytest.raises(IndexError):
        packed[len(rows)]


@given(st.dictionaries(st.text(max_size=5), st.binary(max_size=20)))
def test_sections_come_back(sections: dict[str, bytes]) -> None:
    data = b"".join(join_sections(sections))
    assert {name: bytes(view) for name, view in split_sections(memoryview(data)).items()} == sections


@pytest.mark.parametrize("data", [b"", b"SHENYAN1", b"SHENYAN1\xff\0\0\0\0\0\0\0x", b"x" * 99])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no bundle"):
        split_sections(memoryview(data))
