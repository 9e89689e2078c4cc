"""What a tenant changes in the platforms' policies: actions and fail actions, laid over the shipped ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from service.lexicon.policy import PlatformRules, Policy
from service.vocabulary import Action, Category, Severity


class PolicyChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What differs on one platform; what is not named stays as it is shipped."""

    actions: Mapping[Category | Literal["*"], Mapping[Severity, Action]] = {}
    """`*` holds for every category that has no row of its own, there or here."""
    fail_actions: Mapping[Category | Literal["*"], Action] = {}


def change_rules(shipped: PlatformRules, change: PolicyChange, revision: int) -> PlatformRules:
    """`shipped` with the change in each of its policies, which the version of an answer then shows: `…+r3`."""
    if not change.actions and not change.fail_actions:
        return shipped
    policies = tuple(_change(policy, change, revision) for policy in shipped.policies)
    return msgspec.structs.replace(shipped, policies=policies)


def _change(policy: Policy, change: PolicyChange, revision: int) -> Policy:
    rows = {category: {**policy.actions.get(category, {}), **row} for category, row in change.actions.items()}
    return msgspec.structs.replace(
        policy,
        id=f"{policy.id}+r{revision}",
        actions={**policy.actions, **rows},
        fail_actions={**policy.fail_actions, **change.fail_actions},
    )
