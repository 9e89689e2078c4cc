"""Entries of a lexicon as the cells of a spreadsheet. A cell that would be taken for a formula is guarded by a ' before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
"""A cell that begins so is a formula to one spreadsheet or another; the last one marks a cell that is none."""
LISTS = ("disguises", "platforms", "with", "except", "hits", "passes", "categories")
COLUMNS = (
    "kind", "state", "id", "pattern", "category", "severity", "match", "gap", "disguises", "platforms", "with", "within",
    "except", "reason_zh", "reason_en", "suggestion_zh", "suggestion_en", "hits", "passes", "source", "valid_from",
    "valid_until", "categories",
)  # fmt: skip


def fields_of(heading: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    """The fields of one line. Raises ValueError for cells that can't be what they should."""
    if len(cells) > len(heading):
        raise ValueError(f"{len(cells)} cells under {len(heading)} names")
    given: dict[str, Any] = {}
    for name, cell in zip(heading, cells, strict=False):
        value = unguard(name, cell)
        if not value:
            continue
        if name in LISTS:
            given[name] = split_list(name, value)
        elif name in ("gap", "within"):
            if not value.isdecimal() or len(value) > 4:
                raise ValueError(f"{name}: should be a whole number")
            given[name] = int(value)
        elif name.endswith(("_zh", "_en")):
            field, _, language = name.rpartition("_")
            given.setdefault(field, {})["zh-CN" if language == "zh" else "en"] = value
        else:
            given[name] = value
    if given.get("kind") == "exception":
        given["phrase"] = given.pop("id", given.pop("pattern", ""))
    return given


def cells_of(row: Mapping[str, Any]) -> list[str]:
    """One line of the CSV."""
    given = dict(row)
    for field in ("reason", "suggestion"):
        texts = given.pop(field, {})
        given |= {f"{field}_zh": texts.get("zh-CN", ""), f"{field}_en": texts.get("en", "")}
    if "phrase" in given:
        given["id"] = given.pop("phrase")
    return [cell_of(name, given.get(name)) for name in COLUMNS]


def cell_of(name: str, value: Any) -> str:
    if name in LISTS and value is not None:
        return guard(join_list(value))
    return "" if value is None else guard(str(value))


def join_list(entries: list[str]) -> str:
    """Entries between bars; as JSON where one of them has a bar or blanks of its own."""
    plain = all(entry and entry == entry.strip() and "|" not in entry for entry in entries)
    if plain and not (entries and entries[0].startswith("[")):
        return "|".join(entries)
    return msgspec.json.encode(entries).decode()


def split_list(name: str, cell: str) -> list[str]:
    if not cell.startswith("["):
        return [entry.strip() for entry in cell.split("|")]
    try:
        return msgspec.json.decode(cell, type=list[str])
    except msgspec.DecodeError:
        raise ValueError(f"{name}: entries stand between | bars, or in a JSON list") from None


def guard(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def unguard(name: str, cell: str) -> str:
    """Raises ValueError for a formula."""
    if cell.startswith("'") and cell[1:].startswith(FORMULA):
        return cell[1:]
    if cell.startswith(FORMULA[:-1]):
        raise ValueError(f"{name}: begins like a formula; write '{cell[:1]} where the word really begins so")
    return cell
