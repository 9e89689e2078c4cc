"""Words around a hit that change what it means: denial, explanation, quotation. The patterns are data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from service.errors import DataError
from service.lexicon.context import Context
from service.match.candidate import Candidate
from service.match.pattern import Pattern, compile_pattern
from service.verify.surroundings import Surroundings


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


def compile_contexts(contexts: Sequence[Context]) -> tuple[ContextRule, ...]:
    """Raises DataError for a context that has no pattern or one that RE2 refuses."""
    rules = []
    for context in contexts:
        if not (context.before or context.after or context.near):
            raise DataError(
                f"contexts.toml: {context.id} has neither `before` nor `after` nor `near`; it would hold everywhere"
            )
        rules.append(
            ContextRule(
                context,
                compile_side(context, "before", "(?:{})$"),
                compile_side(context, "after", "(?:{})"),
                compile_side(context, "near", "{}"),
                compile_side(context, "unless", "{}"),
            )
        )
    return tuple(rules)


def compile_side(context: Context, side: str, frame: str) -> Pattern | None:
    """The pattern of one field of `context`, set in `frame`; None where the field is empty."""
    pattern: str = getattr(context, side)
    try:
        return compile_pattern(frame.format(pattern)) if pattern else None
    except ValueError as error:
        hint = "RE2 has no look-around and no back-references; brackets must be closed"
        raise DataError(f"contexts.toml: {context.id}: `{side}`: {error}\nhint: {hint}") from error
