"""Names how a hit was dressed up, by comparing it as typed with how it was read. Knows no terms."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from service.match.candidate import ViewName

READINGS: dict[ViewName, str] = {
    "lookalike": "lookalike",
    "split": "split",
    "repeated": "repeated",
    "homophone": "homophone",
}
SPLIT_MESSAGES = "split_messages"
"""Begun in an earlier message."""
SEE_THROUGH = {"squeezed", "lookalike", "split", "repeated", "homophone"}
"""Views without separators: what stands between a hit's characters there was put in between."""


def name_disguises(typed: str, folded: str, view: ViewName, table: Mapping[int, str]) -> tuple[str, ...]:
    """The disguises of a hit that was typed `typed` and folds to `folded` by `table`, in alphabetical order."""
    names = {READINGS[view]} if view in READINGS else set()
    if view in SEE_THROUGH and any(not character.isalnum() for character in folded):
        names.add("separator")
    if typed.lower() != folded:
        names |= {name for character in typed if (name := name_fold(character, table))}
    return tuple(sorted(names))


def name_fold(character: str, table: Mapping[int, str]) -> str:
    """What folding undid in this character; empty for nothing that hides (case is no disguise)."""
    category = unicodedata.category(character)
    if category in {"Cf", "Mn", "Me"}:
        return "invisible" if category == "Cf" else "combining"
    if unicodedata.normalize("NFKC", character) != character:
        return "width" if unicodedata.east_asian_width(character) in "FH" else "compatibility"
    if ord(character) in table and category == "Lo":
        return "traditional"
    return "emoji" if category == "So" else ""
