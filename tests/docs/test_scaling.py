"""The sum to a billion messages a day is written from figures that are kept."""

from __future__ import annotations

from bench.scaling import BEGIN, END, tables
from tests.docs.pages import read


def first_cells(text: str) -> list[str]:
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]


def test_every_row_is_one_that_is_measured() -> None:
    """Not the numbers: those change with every machine. python -m bench.scaling writes them."""
    _, found, rest = read("docs/scaling.md").partition(BEGIN)
    assert found
    shown, found, _ = rest.partition(END)
    assert found
    assert first_cells(shown) == first_cells(tables())
