"""One banned expression, as it stands in `lexicons/terms/*.toml` and in the API. Data only; nothing here matches."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from service.vocabulary import Category, Platform, Severity

MatchMode = Literal["word", "substring", "phrase"]
Disguise = Literal["homophone", "split", "lookalike"]


class Localized(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zh_cn": "zh-CN"}):
    """A sentence in the two languages that answers are given in."""

    zh_cn: str = ""
    en: str = ""


class Term(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    rename={"with_": "with", "except_": "except"},
):
    """A banned expression with what it means and the examples that prove it."""

    id: str
    """`category/name`, unique in its lexicon."""
    pattern: str
    """What is looked for, written plainly. In a phrase: the parts, separated by blanks."""
    category: Category
    severity: Severity
    match: MatchMode = "word"
    """word: stands on word boundaries; substring: anywhere; phrase: parts in order, up to `gap` characters apart."""
    gap: int = 6
    """phrase only: how many characters may stand between two parts (never across a sentence end)."""
    disguises: tuple[Disguise, ...] = ()
    """Looked through beyond width, case, traditional characters and separators, which always apply."""
    platforms: tuple[Platform | Literal["*"], ...] = ("*",)
    with_: tuple[str, ...] = ()
    """All of these must stand within `within` characters of the hit."""
    within: int = 12
    except_: tuple[str, ...] = ()
    """A hit inside one of these is dismissed."""
    reason: Localized = Localized()
    suggestion: Localized = Localized()
    hits: tuple[str, ...] = ()
    """Sentences in which this term must be found."""
    passes: tuple[str, ...] = ()
    """Sentences in which it must not be found, honest look-alikes by preference."""
    source: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    """First and last day, inclusive, in the shop's day."""


def parts_of(term: Term) -> list[str]:
    """The pieces of text that a term is looked for by: a phrase's parts, else the whole pattern."""
    return term.pattern.split() if term.match == "phrase" else [term.pattern]


class ExceptionPhrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A phrase that excuses every hit wholly inside it."""

    phrase: str
    reason: Localized = Localized()
    categories: tuple[Category, ...] = ()
    """Only hits of these categories; empty means all."""
    passes: tuple[str, ...] = ()
    """Sentences that must pass because of it."""
    source: str = ""
