"""Words around a hit that change what it means: denial, explanation, quotation. The patterns are data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from service.errors import DataError
from service.lexicon.context import Context
from service.lexicon.locate import data_error, locate
from service.match.candidate import Candidate
from service.match.pattern import Pattern, compile_pattern
from service.verify.surroundings import Surroundings

FILE = "contexts.toml"
FRAMES = {"before": "(?:{})$", "after": "(?:{})", "near": "{}", "unless": "{}"}
"""What each pattern is set in: `before` ends where the hit begins."""


@dataclass(frozen=True, slots=True)
class ContextRule:
    """A compiled context."""

    context: Context
    before: Pattern | None = field(repr=False)
    after: Pattern | None = field(repr=False)
    near: Pattern | None = field(repr=False)
    unless: Pattern | None = field(repr=False)

    def applies(self, candidate: Candidate, around: Surroundings) -> bool:
        """Whether the words around `candidate` are the ones that this rule is about."""
        context = self.context
        if candidate.category not in context.categories:
            return False
        if context.detectors and candidate.detector not in context.detectors:
            return False
        if self.before is not None and not self.before.search(around.before):
            return False
        if self.after is not None and not self.after.match(around.after):
            return False
        if self.near is not None and not self.near.search(around.near):
            return False
        return self.unless is None or not self.unless.search(around.near)


def compile_contexts(contexts: Sequence[Context], folder: Path | None = None) -> tuple[ContextRule, ...]:
    """Raises DataError for a context that has no pattern or one that RE2 refuses, with its place in `folder`, where it was
    read from.
    """
    rules = []
    for index, context in enumerate(contexts):
        sides: dict[str, Pattern | None] = {}
        if not (context.before or context.after or context.near):
            problem = f"{context.id} has neither `before` nor `after` nor `near`; it would hold everywhere"
            raise error_at(folder, index, "id", problem)
        for side, frame in FRAMES.items():
            pattern: str = getattr(context, side)
            try:
                sides[side] = compile_pattern(frame.format(pattern)) if pattern else None
            except ValueError as error:
                hint = "RE2 has no look-around and no back-references; brackets must be closed"
                raise error_at(folder, index, side, f"{context.id}: `{side}`: {error}", hint) from error
        rules.append(ContextRule(context, **sides))
    return tuple(rules)


def error_at(folder: Path | None, index: int, field: str, problem: str, hint: str = "") -> DataError:
    """The error with file, line and caret; with the file's name only where it can't be read again."""
    path = (folder or Path()) / FILE
    try:
        text = path.read_text(encoding="utf-8") if folder else ""
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text:
        return DataError(f"{FILE}: {problem}" + (f"\nhint: {hint}" if hint else ""))
    return data_error(path, text, *locate(text, f"$.context[{index}].{field}"), problem, hint)
