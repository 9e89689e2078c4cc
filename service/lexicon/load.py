"""Folders of TOML become a Snapshot. Every error names file, line and column, shows the line and gives a hint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import tomli

from service.errors import DataError
from service.lexicon.context import Context
from service.lexicon.frequency import Frequency
from service.lexicon.locate import data_error, locate, locate_word
from service.lexicon.policy import CategoryWords, PlatformRules
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import ExceptionPhrase, Localized, Term
from service.normalise.tables import Tables, load_tables
from service.vocabulary import CATEGORIES, PLATFORMS, SEVERITIES, Category, Severity

T = TypeVar("T")

TOML_PLACE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)$")
MSGSPEC_PLACE = re.compile(r"(.*?)(?: - at (?:`key` in )?`(\$[^`]*)`)?$", re.DOTALL)
UNKNOWN_FIELD = re.compile(r"unknown field `([^`]+)`")
WRONG_WORD = re.compile(r"Invalid enum value '([^']+)'")
HINTS = {
    "unknown field": "see docs/reference/lexicon.md for the fields, and check the spelling",
    "Invalid enum value": "use one of the documented words",
    "missing required field": "add the field, or set it under [defaults]",
    "RFC3339": "a date is written 2026-01-31, without quotes",
    "Expected": "see docs/reference/lexicon.md for the field's type",
}


class TermFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`lexicons/terms/<category>.toml`: terms, and the keys that they share."""

    category: Category
    term: tuple[dict[str, Any], ...] = ()
    defaults: dict[str, Any] = {}


class TermList(msgspec.Struct, frozen=True):
    term: tuple[Term, ...]


class Kind(msgspec.Struct, frozen=True):
    """One of the kinds that a detector tells apart."""

    reason: Localized
    severity: Severity | None = None
    suggestion: Localized = Localized()


class DetectorFile(msgspec.Struct, frozen=True):
    """What every `lexicons/detectors/<name>.toml` has; its words differ from one to the next."""

    category: Category
    severity: Severity
    reason: Localized
    suggestion: Localized = Localized()
    kinds: dict[str, Kind] = {}


class ExceptionFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    exception: tuple[ExceptionPhrase, ...] = ()


class ContextFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    context: tuple[Context, ...] = ()


def load_snapshot(folder: Path) -> Snapshot:
    """Read all data below `folder`.

    Raises DataError for what is missing, malformed or contradicts itself; nothing is skipped.
    """
    if not (folder / "terms").is_dir():
        raise DataError(f"{folder}: no lexicon here; it needs at least terms/, platforms/ and tables/")
    terms = load_all_terms(folder / "terms")
    rules = [load_rules(path) for path in sorted((folder / "platforms").glob("*.toml"))]
    platforms = {rule.platform: rule for rule in rules}
    missing = [platform for platform in PLATFORMS if platform not in platforms]
    if missing:
        raise DataError(f"{folder / 'platforms'}: no rules for {', '.join(missing)}; add a file each")
    categories = read(folder / "categories.toml", dict[Category, CategoryWords])
    unnamed = [category for category in CATEGORIES if category not in categories]
    if unnamed:
        raise DataError(f"{folder / 'categories.toml'}: no words for {', '.join(unnamed)}; add a table each")
    return Snapshot(
        lexicon="builtin",
        terms=terms,
        exceptions=read(folder / "exceptions.toml", ExceptionFile).exception,
        contexts=read(folder / "contexts.toml", ContextFile).context,
        platforms=platforms,
        categories=categories,
        detectors={path.stem: load_detector(path) for path in sorted((folder / "detectors").glob("*.toml"))},
        tables=load_tables_checked(folder / "tables"),
        sound_support=read(folder / "tables" / "sound_support.toml", dict[Category, tuple[str, ...]]),
        frequency=read(folder / "frequency.toml", Frequency),
        corpus=load_corpus(folder / "corpus"),
        folder=folder,
    )


def load_all_terms(folder: Path) -> tuple[Term, ...]:
    """The terms of all files; an id stands for one term in incidents and overlays, so none may come twice."""
    terms: dict[str, Term] = {}
    for path in sorted(folder.glob("*.toml")):
        for index, term in enumerate(load_terms(path)):
            if term.id in terms:
                text = read_text(path)
                place = locate(text, f"$.term[{index}].id")
                raise data_error(path, text, *place, f"another term has the id {term.id}", "choose a new id")
            terms[term.id] = term
    return tuple(terms.values())


def load_terms(path: Path) -> tuple[Term, ...]:
    """The terms of one file, with the file's category and defaults filled in."""
    file = read(path, TermFile)
    filled = [{"category": file.category, **file.defaults, **term} for term in file.term]
    return convert(path, {"term": filled}, TermList).term


def load_rules(path: Path) -> PlatformRules:
    """The rules of one platform: policies oldest first, each with an action for every severity."""
    rules, text = read(path, PlatformRules), read_text(path)
    if not rules.policies:
        raise data_error(path, text, *locate(text, "$.policies"), "no policy", "add a [[policies]] table")
    for index, policy in enumerate(rules.policies):
        place = locate(text, f"$.policies[{index}].actions")
        missing = [severity for severity in SEVERITIES if severity not in policy.actions.get("*", {})]
        if missing:
            hint = 'the row "*" under [policies.actions] holds for every category without a row of its own'
            raise data_error(path, text, *place, f'no action for {", ".join(missing)} in the row "*"', hint)
        if index and policy.valid_from <= rules.policies[index - 1].valid_from:
            place = locate(text, f"$.policies[{index}].valid_from")
            raise data_error(path, text, *place, "not later than the policy before it", "policies stand oldest first")
    return rules


def load_detector(path: Path) -> dict[str, Any]:
    """A detector's data file: what all have is checked here, its own words when it is compiled."""
    raw = parse(path)
    convert(path, raw, DetectorFile)
    return raw


def load_corpus(folder: Path) -> tuple[str, ...]:
    """Ordinary sentences, one a line; `#` starts a comment line."""
    lines = [line.strip() for path in sorted(folder.glob("*.txt")) for line in read_text(path).splitlines()]
    return tuple(line for line in lines if line and not line.startswith("#"))


def load_tables_checked(folder: Path) -> Tables:
    """The character tables, with a missing or broken file as a DataError."""
    try:
        return load_tables(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder}: {error}; restore the shipped tables or run lexicons/tables/build.py") from error


def read(path: Path, kind: type[T]) -> T:
    """One TOML file as `kind`."""
    return convert(path, parse(path), kind)


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; restore it from the shipped lexicons") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}; save it as UTF-8") from error


def parse(path: Path) -> dict[str, Any]:
    text = read_text(path)
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        found = TOML_PLACE.match(str(error))
        problem, line, column = found.groups() if found else (str(error), "1", "1")
        hint = "strings stand in double quotes, lists in [ ], tables as key = value"
        raise data_error(path, text, int(line), int(column), problem, hint) from error


def convert(path: Path, raw: Mapping[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        found = MSGSPEC_PLACE.match(str(error))
        problem, dotted = (found.group(1), found.group(2) or "$") if found else (str(error), "$")
        unknown, wrong = UNKNOWN_FIELD.search(problem), WRONG_WORD.search(problem)
        text = read_text(path)
        line, column = locate(text, f"{dotted}.{unknown.group(1)}", key=True) if unknown else locate(text, dotted)
        if wrong:
            line, column = locate_word(text, wrong.group(1), line) or (line, column)
        hint = next((hint for words, hint in HINTS.items() if words in problem), "")
        raise data_error(path, text, line, column, problem, hint) from error
