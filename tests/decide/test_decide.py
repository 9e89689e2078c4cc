from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from service.decide.decide import decide
from service.engine import Engine
from service.lexicon.policy import Clause, PlatformRules, Policy
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import Localized
from service.text.message import Message
from service.verify.finding import Finding
from service.vocabulary import ACTION_RANK, PLATFORMS, SEVERITIES, Channel, Platform, Severity
from tests.decide.verdicts import verdict
from tests.reading import dismissed_by, found, slices


@pytest.mark.parametrize(("platform", "text", "expected", "clause"), [
    ("kuaishou", "这款是高仿的", "高仿", "kuaishou 2.8"),
    ("kuaishou", "这款是精仿的", "精仿", "kuaishou 2.8"),
    ("kuaishou", "这款是非正品", "非正品", "kuaishou 2.8"),
    ("kuaishou", "这本是复印版", "复印版", "kuaishou 2.8"),
    ("kuaishou", "这本是扫描版", "扫描版", "kuaishou 2.8"),
    ("kuaishou", "看 https://www.example.com/a", "https://www.example.com/a", "kuaishou 2.3"),
    ("kuaishou", "你个傻逼", "傻逼", "kuaishou 2.4"),
    ("kuaishou", "我是平台官方客服", "我是平台官方客服", "kuaishou 2.9"),
    ("pinduoduo", "看 https://item.taobao.com/a看看", "https://item.taobao.com/a", "pinduoduo 2.2"),
    ("pinduoduo", "卡号6222021000000000009", "6222021000000000009", "pinduoduo 2.2"),
    ("pinduoduo", "发到kefu@example.com", "kefu@example.com", "pinduoduo 2.2"),
    ("pinduoduo", "您扫码加我", "扫码加我", "pinduoduo 2.2"),
    ("pinduoduo", "打13800138000", "13800138000", "pinduoduo 2.2"),
    ("pinduoduo", "私下转账便宜", "私下转账便宜", "pinduoduo pitfall 2"),
    ("taobao", "你个傻逼", "傻逼", "taobao 骚扰他人"),
    ("tmall", "你个傻逼", "傻逼", "tmall 骚扰他人"),
])  # fmt: skip
def test_the_clauses_own_words(engine: Engine, platform: Platform, text: str, expected: str, clause: str) -> None:
    decision = engine.decide(Message(text, platform))
    assert decision.action == "block"
    assert expected in slices(text, found(decision))
    assert clause in [name for each in decision.verdicts for name in each.clauses]


@pytest.mark.parametrize("text", ["好评返现", "全五星返现", "好评免单", "好评返红包", "好评返优惠券"])
def test_review_clauses_hold_in_review_replies(engine: Engine, text: str) -> None:
    in_reply = engine.decide(Message(text, "kuaishou", "review_reply"))
    in_chat = engine.decide(Message(text, "kuaishou", "chat"))
    assert in_reply.action == in_chat.action == "block"
    assert {name for each in in_reply.verdicts for name in each.clauses} == {"kuaishou review 3.2"}
    assert {name for each in in_chat.verdicts for name in each.clauses} == set()


@pytest.mark.parametrize("platform", ["jd", "douyin", "generic"])
def test_where_no_clause_is_published_none_is_cited(engine: Engine, platform: Platform) -> None:
    decision = engine.decide(Message("这款是高仿的", platform))
    assert decision.action == "block"
    assert [each.clauses for each in decision.verdicts] == [()]


def test_the_strictest_action_wins(engine: Engine) -> None:
    decision = engine.decide(Message("国家级品质，你个傻逼", "taobao"))
    assert {each.action for each in decision.verdicts} == {"warn", "block"}
    assert decision.action == "block"


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("category", ["ad_law", "overpromise"])
def test_wording_of_the_trade_never_blocks(snapshot: Snapshot, platform: Platform, category: Any) -> None:
    for policy in snapshot.platforms[platform].policies:
        assert {policy.action(category, severity) for severity in SEVERITIES} <= {"allow", "warn"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_graver_severity_is_never_treated_more_mildly(snapshot: Snapshot, platform: Platform) -> None:
    for policy in snapshot.platforms[platform].policies:
        for category in snapshot.categories:
            ranks = [ACTION_RANK[policy.action(category, severity)] for severity in SEVERITIES]
            assert ranks == sorted(ranks)
            assert ranks[0] == 0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_policies_are_in_order_without_overlap_and_say_where_they_come_from(
    snapshot: Snapshot, platform: Platform
) -> None:
    policies = snapshot.platforms[platform].policies
    assert [policy.valid_from for policy in policies] == sorted({policy.valid_from for policy in policies})
    assert all(policy.source for policy in policies)


def policy(name: str, day: date, low: Any, clauses: tuple[Clause, ...] = (), valid_until: date | None = None) -> Policy:
    actions: Any = {"*": {"low": low, "medium": "warn", "high": "block", "critical": "block"}}
    return Policy(id=name, source="made up", valid_from=day, valid_until=valid_until, actions=actions, clauses=clauses)


RULES = PlatformRules(
    platform="jd",
    name=Localized("京东", "JD"),
    domains=(),
    policies=(
        policy("old", date(2020, 1, 1), "allow"),
        policy(
            "new",
            date(2024, 1, 1),
            "warn",
            (Clause(number="7", categories=("contact",), title=Localized(), channels=("chat",)),),
        ),
    ),
)


def judge(engine: Engine, severity: Severity, day: date, channel: Channel = "chat") -> Any:
    finding = Finding(verdict(0, 2).finding.candidate, severity, "form")
    message = Message("微信", "jd", channel, day)
    return decide(message, [finding], [], RULES, engine.categories, degraded=(), lexicon_version="builtin@0")


@pytest.mark.parametrize(("day", "name", "action"), [
    (date(2019, 1, 1), "old", "allow"),           # before the first one: the first
    (date(2020, 1, 1), "old", "allow"),
    (date(2023, 12, 31), "old", "allow"),
    (date(2024, 1, 1), "new", "warn"),
    (date.max, "new", "warn"),
])  # fmt: skip
def test_the_policy_of_the_day_decides(engine: Engine, day: date, name: str, action: str) -> None:
    decision = judge(engine, "low", day)
    assert (decision.policy_version, decision.action) == (f"jd@{name}", action)


@pytest.mark.parametrize(("day", "name"), [
    (date(2024, 10, 31), "always"),
    (date(2024, 11, 1), "festival"),
    (date(2024, 11, 11), "festival"),
    (date(2024, 11, 12), "always"),
    (date(2026, 1, 1), "last"),
    (date(2026, 1, 2), "always"),
])  # fmt: skip
def test_a_policy_ends_and_the_one_before_it_holds_again(day: date, name: str) -> None:
    policies = (
        policy("always", date(2020, 1, 1), "allow"),
        policy("festival", date(2024, 11, 1), "warn", valid_until=date(2024, 11, 11)),
        policy("last", date(2026, 1, 1), "warn", valid_until=date(2026, 1, 1)),
    )
    assert msgspec.structs.replace(RULES, policies=policies).policy_on(day).id == name
    # Where all have ended it is the last one: nothing is without a policy.
    assert msgspec.structs.replace(RULES, policies=policies[1:]).policy_on(date.max).id == "last"


def test_a_clause_holds_from_its_policys_day_and_on_its_channel(engine: Engine) -> None:
    assert judge(engine, "high", date(2023, 1, 1)).verdicts[0].clauses == ()
    assert judge(engine, "high", date(2025, 1, 1)).verdicts[0].clauses == ("jd 7",)
    assert judge(engine, "high", date(2025, 1, 1), "review_reply").verdicts[0].clauses == ()


def test_what_the_policy_allows_is_dismissed_with_that_reason(engine: Engine) -> None:
    decision = engine.decide(Message("我们家不是高仿", "kuaishou"))
    assert (decision.action, decision.verdicts) == ("allow", ())
    assert [candidate.value for candidate in dismissed_by(decision, "policy")] == ["高仿"]
    assert "kuaishou@2021-09 allows counterfeit of severity low" in decision.dismissed[-1].because
    assert decision.masked_text == "我们家不是高仿"


def test_versions_are_named(engine: Engine, snapshot: Snapshot) -> None:
    for text in ("亲，在的", "这款是高仿的"):
        decision = engine.decide(Message(text, "kuaishou"))
        assert decision.lexicon_version == snapshot.version
        assert decision.policy_version == "kuaishou@2021-09"
