"""The words for the agent: what is wrong by which clause, and what to write instead. Texts are data; this puts them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.decide.decision import Verdict
from service.lexicon.policy import CategoryWords, PlatformRules
from service.lexicon.term import Localized
from service.vocabulary import ACTION_RANK, SEVERITY_RANK, Category

NOTHING = Localized()


def phrase_message(
    verdicts: Sequence[Verdict], rules: PlatformRules, categories: Mapping[Category, CategoryWords]
) -> Localized:
    """One sentence per category, gravest first, each with its clauses: 平台规则 2.2：请勿…"""
    zh, en = [], []
    for category, clauses in _by_category(verdicts).items():
        advice = categories[category].advice
        numbers = [clause.removeprefix(f"{rules.platform} ") for clause in clauses]
        zh.append(f"平台规则 {'、'.join(numbers)}：{advice.zh_cn}" if numbers else advice.zh_cn)
        en.append(f"Platform rule {', '.join(numbers)}: {advice.en}" if numbers else advice.en)
    return Localized("；".join(zh), "; ".join(en))


def phrase_suggestion(verdicts: Sequence[Verdict], categories: Mapping[Category, CategoryWords]) -> Localized:
    """The gravest verdict's own suggestion, else its category's."""
    for verdict in _gravest_first(verdicts):
        candidate = verdict.finding.candidate
        ours, general = candidate.suggestion, categories[candidate.category].suggestion
        if ours.zh_cn or general.zh_cn:
            return Localized(ours.zh_cn or general.zh_cn, ours.en or ("" if ours.zh_cn else general.en) or general.en)
    return NOTHING


def mask(text: str, verdicts: Sequence[Verdict]) -> str:
    """`text` with every verdict's span as asterisks, of the same length in code points."""
    characters = list(text)
    for verdict in verdicts:
        candidate = verdict.finding.candidate
        if candidate.field == "text":
            for start, end in (candidate.span, *candidate.more):
                characters[start:end] = "*" * (end - start)
    return "".join(characters)


def _gravest_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return sorted(verdicts, key=lambda v: (-ACTION_RANK[v.action], -SEVERITY_RANK[v.finding.severity]))


def _by_category(verdicts: Sequence[Verdict]) -> dict[Category, tuple[str, ...]]:
    """Category -> the clauses that its verdicts cite, gravest category first."""
    return {verdict.finding.candidate.category: verdict.clauses for verdict in _gravest_first(verdicts)}
