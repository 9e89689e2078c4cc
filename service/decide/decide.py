"""The deciding half of the engine: what the platform's policy makes of the findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.decide.collapse import collapse
from service.decide.decision import Decision, Verdict
from service.decide.phrase import NOTHING, mask, phrase_message, phrase_suggestion
from service.lexicon.policy import CategoryWords, PlatformRules, Policy
from service.text.message import Message
from service.verify.finding import Dismissal, Finding
from service.vocabulary import ACTION_RANK, Action, Category, Channel


def decide(
    message: Message,
    findings: Sequence[Finding],
    dismissals: Sequence[Dismissal],
    rules: PlatformRules,
    categories: Mapping[Category, CategoryWords],
    *,
    degraded: tuple[str, ...],
    lexicon_version: str,
) -> Decision:
    """The strictest action wins; what the policy allows is dismissed with that reason."""
    policy = rules.policy_on(message.day)
    policy_version = f"{rules.platform}@{policy.id}"
    if not findings:
        return Decision(
            "allow",
            (),
            tuple(dismissals),
            message.text,
            NOTHING,
            NOTHING,
            degraded,
            lexicon_version,
            policy_version,
        )
    verdicts: list[Verdict] = []
    allowed: list[Dismissal] = []
    for finding in findings:
        category = finding.candidate.category
        consequence = policy.action(category, finding.severity)
        if consequence == "allow":
            because = f"{policy_version} allows {category} of severity {finding.severity}; {finding.confirmed_by}"
            allowed.append(Dismissal(finding.candidate, "policy", because))
        else:
            verdicts.append(Verdict(finding, consequence, cite(policy, rules.platform, category, message.channel)))
    kept, contained = collapse(verdicts)
    allow: Action = "allow"
    action = max((verdict.action for verdict in kept), key=ACTION_RANK.__getitem__, default=allow)
    return Decision(
        action=action,
        verdicts=tuple(kept),
        dismissed=(*dismissals, *allowed, *contained),
        masked_text=mask(message.text, kept),
        agent_message=phrase_message(kept, rules, categories),
        suggestion=phrase_suggestion(kept, categories),
        degraded=degraded,
        lexicon_version=lexicon_version,
        policy_version=policy_version,
    )


def cite(policy: Policy, platform: str, category: Category, channel: Channel) -> tuple[str, ...]:
    """The clauses of `policy` that forbid `category` on `channel`, as `pinduoduo 2.2`."""
    return tuple(
        f"{platform} {clause.number}"
        for clause in policy.clauses
        if category in clause.categories and channel in clause.channels
    )
