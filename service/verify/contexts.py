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
            raise DataError(f"contexts.toml: {context.id} has no `before`, `after` or `near`; it would hold everywhere")
        try:
            rule = ContextRule(
                context,
                compile_pattern(f"(?:{context.before})$") if context.before else None,
                compile_pattern(f"(?:{context.after})") if context.after else None,
                compile_pattern(context.near) if context.near else None,
                compile_pattern(context.unless) if context.unless else None,
            )
        except ValueError as error:
            raise DataError(f"contexts.toml: {context.id}: {error}") from error
        rules.append(rule)
    return tuple(rules)
