"""Too many messages to one customer."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import msgspec
import pytest

from service.engine import Engine
from service.lexicon.frequency import Frequency, Night, Rule
from service.lexicon.snapshot import Snapshot
from service.match.frequency import holding
from service.text.message import Message, Pace
from tests.reading import found

NOON, NIGHT = time(12), time(3)


def sent(count: int, seconds: float) -> tuple[float, ...]:
    """The ages of `count` messages before the present one, the first `seconds` ago."""
    return tuple(seconds * number / count for number in range(1, count + 1))


def test_each_rule_holds_for_its_hits_and_for_none_of_its_passes(snapshot: Snapshot) -> None:
    for rule in snapshot.frequency.rule:
        assert rule.hits, rule.id
        assert rule.passes, rule.id
        assert rule.source, rule.id
        for run, wanted in [*((run, True) for run in rule.hits), *((run, False) for run in rule.passes)]:
            held = [held.id for _, held in holding(*run.replay(), snapshot.frequency)]
            assert (rule.id in held) == wanted, (rule.id, run)


@pytest.mark.parametrize(("pace", "at", "action", "reason"), [
    (Pace(sent(9, 120)), NOON, "allow", ""),
    (Pace(sent(29, 590)), NOON, "warn", "30 messages in 10 minutes at 12:00"),
    (Pace(sent(59, 590)), NOON, "block", "60 messages in 10 minutes at 12:00"),
    (Pace(sent(11, 290)), NIGHT, "warn", "12 messages in 5 minutes at 03:00"),
    (Pace(sent(11, 290)), NOON, "allow", ""),
    (Pace(sent(3, 100), sent(3, 100)), NOON, "warn", "the same message 4 times in 2 minutes at 12:00"),
    (Pace(), NIGHT, "allow", ""),
    (None, NIGHT, "allow", ""),
])  # fmt: skip
def test_the_gravest_rule_is_the_finding(engine: Engine, pace: Pace | None, at: time, action: str, reason: str) -> None:
    decision = engine.decide(Message("请您给个五星好评", "pinduoduo", time=at, pace=pace))
    hits = [hit for hit in found(decision, "harassment") if hit.detector == "frequency"]
    assert [hit.reason.en for hit in hits] == ([reason] if reason else [])
    if hits:
        assert decision.action == action
        assert (hits[0].field, hits[0].span) == ("conversation", (0, 0))
        assert {"pinduoduo 2.4"} <= {clause for verdict in decision.verdicts for clause in verdict.clauses}


def test_it_hides_no_other_finding_and_masks_nothing(engine: Engine) -> None:
    text = "这款是高仿的"
    alone = engine.decide(Message(text, "pinduoduo"))
    both = engine.decide(Message(text, "pinduoduo", pace=Pace(sent(59, 590))))
    assert len(both.verdicts) == len(alone.verdicts) + 1
    assert both.masked_text == alone.masked_text


@pytest.mark.parametrize(("moment", "holds"), [
    (time(22, 59), False), (time(23), True), (time(0), True), (time(6, 59, 59), True), (time(7), False), (NOON, False),
])  # fmt: skip
def test_the_night_goes_over_midnight(moment: time, holds: bool) -> None:
    assert Night(time(23), time(7)).holds(moment) is holds
    assert Night(time(1), time(5)).holds(moment) is (time(1) <= moment < time(5))


@pytest.mark.parametrize("reason", ["{messages} messages", "{} messages", "{count messages"])
def test_a_reason_that_cannot_be_filled_in_is_refused(reason: str) -> None:
    rule = {"id": "r", "count": 2, "window": 60, "severity": "low", "reason": {"zh-CN": reason, "en": "x"}}
    with pytest.raises(msgspec.ValidationError, match=r"it knows \{count\}"):
        msgspec.convert(rule, Rule)


def test_another_frequency_is_another_version(snapshot: Snapshot) -> None:
    other = Frequency(Night(time(22), time(7)), snapshot.frequency.rule)
    assert replace(snapshot, frequency=other).version != snapshot.version
