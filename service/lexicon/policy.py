"""A platform's rules as data (`lexicons/platforms/*.toml`): clauses, what each category and severity means, own domains."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from service.lexicon.term import Localized
from service.vocabulary import Action, Category, Channel, Platform, Severity


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One numbered rule of the marketplace."""

    number: str
    categories: tuple[Category, ...]
    title: Localized
    channels: tuple[Channel, ...] = ("chat", "review_reply")


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rules in force from `valid_from` to `valid_until`, both inclusive."""

    id: str
    source: str
    valid_from: date
    actions: Mapping[Category | Literal["*"], Mapping[Severity, Action]]
    """`*` holds for every category that has no row of its own, severity by severity."""
    valid_until: date | None = None
    clauses: tuple[Clause, ...] = ()
    fail_actions: Mapping[Category | Literal["*"], Action] = {}
    """What happens when a part could not be inspected, per category it might have held."""

    def action(self, category: Category, severity: Severity) -> Action:
        row = self.actions.get(category, {})
        return row.get(severity) or self.actions["*"][severity]

    def fail_action(self, category: Category) -> Action:
        return self.fail_actions.get(category) or self.fail_actions.get("*", "warn")


class PlatformRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything about one marketplace."""

    platform: Platform
    name: Localized
    domains: tuple[str, ...]
    """Registrable domains whose links, and those of their subdomains, are the platform's own."""
    policies: tuple[Policy, ...]
    """Oldest first, without overlap."""

    def policy_on(self, day: date) -> Policy:
        """The policy in force on `day`: of those that have begun and not ended, the last that began.

        Before the first one it is the first, and where all have ended the last: nothing is ever without a policy.
        """
        for policy in reversed(self.policies):
            if policy.valid_from <= day and (policy.valid_until is None or day <= policy.valid_until):
                return policy
        return self.policies[0] if day < self.policies[0].valid_from else self.policies[-1]


class CategoryWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a category is spoken of (`lexicons/categories.toml`)."""

    name: Localized
    advice: Localized
    """What the agent should not do, as a sentence without the clause number."""
    suggestion: Localized
    """A better wording where the term itself has none."""
