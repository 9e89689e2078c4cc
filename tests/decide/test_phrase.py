from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.decide.phrase import mask
from service.engine import Engine
from service.text.message import Message
from service.text.span import Span
from tests.decide.verdicts import verdict


@given(st.text(max_size=20), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=4))
def test_masking_keeps_the_length_and_what_was_not_found(text: str, places: list[tuple[int, int]]) -> None:
    spans = [Span(min(*place, len(text)), min(max(place), len(text))) for place in places]
    masked = mask(text, [verdict(*span) for span in spans])
    assert len(masked) == len(text)
    hidden = {index for span in spans for index in range(*span)}
    assert all(masked[i] == ("*" if i in hidden else text[i]) for i in range(len(text)))


def test_every_place_is_masked() -> None:
    assert mask("0123456789", [verdict(0, 2, more=(Span(4, 6),))]) == "**23**6789"


def test_a_pictures_code_is_no_place_in_the_text() -> None:
    assert mask("abc", [verdict(0, 2, field="attachments/0")]) == "abc"


def test_the_agent_is_told_the_clause_and_the_rule_in_both_languages(engine: Engine) -> None:
    decision = engine.decide(Message("这款是高仿的", "kuaishou"))
    assert decision.agent_message.zh_cn.startswith("平台规则 2.8：")
    assert decision.agent_message.en.startswith("Platform rule 2.8: ")
    assert decision.suggestion.zh_cn
    assert decision.suggestion.en


def test_without_a_clause_only_the_rule_is_told(engine: Engine) -> None:
    decision = engine.decide(Message("这款是高仿的", "generic"))
    assert decision.agent_message == engine.categories["counterfeit"].advice


def test_the_gravest_is_told_first_and_gives_the_suggestion(engine: Engine) -> None:
    text = "这是最佳选择，你个傻逼"
    decision = engine.decide(Message(text, "pinduoduo"))
    first, second = decision.agent_message.zh_cn.split("；")
    assert first == f"平台规则 2.3：{engine.categories['abuse'].advice.zh_cn}"
    assert second == engine.categories["ad_law"].advice.zh_cn
    worst = max(decision.verdicts, key=lambda each: each.finding.severity == "critical")
    assert decision.suggestion.zh_cn == worst.finding.candidate.suggestion.zh_cn


def test_each_category_is_told_once(engine: Engine) -> None:
    decision = engine.decide(Message("高仿和精仿都有，非正品", "kuaishou"))
    assert len(decision.verdicts) == 3
    assert decision.agent_message.zh_cn.count("平台规则") == 1


def test_nothing_is_said_about_what_is_allowed(engine: Engine) -> None:
    decision = engine.decide(Message("亲，已经为您安排发货了", "kuaishou"))
    assert (decision.agent_message.zh_cn, decision.suggestion.en) == ("", "")
