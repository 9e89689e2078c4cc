"""The ladder files -> Ladders. Every error names file, line and column, shows the line and gives a hint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from service.errors import DataError
from service.lexicon.load import read, read_text
from service.lexicon.locate import data_error
from service.penalise.ladder import Defaults, Edition, Ladder, Ladders, Rule, Threshold

Complaint = tuple[str, str, str]
"""What the line holds that is wrong, the problem, a hint."""


def load_ladders(folder: Path) -> Ladders:
    """Reads `ladders/*.toml` and `penalties.toml` below `folder`. Raises DataError; nothing is skipped."""
    defaults = read(folder / "penalties.toml", Defaults)
    missing = {"block", "warn", "override"} - set(defaults.due)
    if missing:
        raise DataError(f"{folder / 'penalties.toml'}: [due] says nothing of {', '.join(sorted(missing))}; add it")
    ladders = [load_ladder(path) for path in sorted((folder / "ladders").glob("*.toml"))]
    return Ladders(schemes={ladder.scheme: ladder for ladder in ladders}, defaults=defaults)


def load_ladder(path: Path) -> Ladder:
    """One file, checked for what its types can't say."""
    ladder = read(path, Ladder)
    for needle, problem, hint in complaints(ladder, path.stem):
        text = read_text(path)
        line, column = _find(text, needle)
        raise data_error(path, text, line, column, problem, hint)
    return ladder


def complaints(ladder: Ladder, name: str) -> Iterator[Complaint]:
    """What contradicts itself in a ladder."""
    if ladder.scheme != name:
        yield f'"{ladder.scheme}"', "the scheme is not called as its file", f"rename the file to {ladder.scheme}.toml"
    if (ladder.by == "platform") != bool(ladder.platforms):
        yield "by =", "`platforms` belongs to a marketplace's ladder, and to no other", "say whose rules these are"
    if not ladder.accounts:
        yield "accounts", "nobody is charged", 'accounts = ["agent"]'
    if not ladder.editions:
        yield "scheme", "there is no edition", "add an [[editions]] table"
    starts = [edition.valid_from for edition in ladder.editions]
    if starts != sorted(set(starts)):
        yield str(starts[-1]), "editions do not follow one another", "write them oldest first, each with its own day"
    for edition in ladder.editions:
        yield from _edition_complaints(edition)


def _edition_complaints(edition: Edition) -> Iterator[Complaint]:
    if (edition.window == "days") != (edition.days > 0):
        yield f'"{edition.id}"', '`days` is for window = "days", which needs it', "days = 30"
    known = [each.id for each in edition.consequences]
    names = [*known, *(rule.id for rule in edition.rules)]
    for kind in (known, names[len(known) :]):
        for name in kind:
            if kind.count(name) > 1:
                yield f'"{name}"', "this id is used twice in the edition", "give each its own"
    for used in [*(rule.consequence for rule in edition.rules), *(line.consequence for line in edition.thresholds)]:
        if used and used not in known:
            hint = f"there are {', '.join(known)}" if known else "add an [[editions.consequences]] table"
            yield f'consequence = "{used}"', "there is no such consequence", hint
    for rule in edition.rules:
        yield from _rule_complaints(rule)
    for threshold in edition.thresholds:
        yield from _threshold_complaints(edition, threshold)
    for each in edition.consequences:
        if (each.lasts == "days") != (each.days > 0):
            yield f'"{each.id}"', '`days` is for lasts = "days", which needs it', "days = 7"


def _rule_complaints(rule: Rule) -> Iterator[Complaint]:
    if rule.events and (rule.categories or rule.severities or rule.clauses or rule.channels):
        yield f'"{rule.id}"', "a rule is for events or for findings, not for both", "make two rules of it"
    numbers = [step.nth for step in rule.steps]
    if numbers != sorted(set(numbers)):
        yield f'"{rule.id}"', "steps do not follow one another", "write them by rising nth"


def _threshold_complaints(edition: Edition, threshold: Threshold) -> Iterator[Complaint]:
    needle = f'consequence = "{threshold.consequence}"'
    if (threshold.at_most is None) == (threshold.at_least is None):
        yield needle, "a threshold is either a score or points", "at_most = 5, or at_least = 48"
    if threshold.at_most is not None and (edition.full is None or threshold.at_most >= edition.full):
        yield f"at_most = {threshold.at_most}", "`at_most` is a score under the full one", "give the edition `full`"


def _find(text: str, needle: str) -> tuple[int, int]:
    """Line and column, from 1, of the first line that holds `needle`."""
    for number, line in enumerate(text.splitlines(), start=1):
        if needle in line:
            return number, line.index(needle) + 1
    return 1, 1
