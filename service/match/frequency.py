"""Too many messages to one customer: the counts of a message in, a candidate of the gravest rule that holds out.

Nothing is counted here; how many were sent before comes with the message.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.lexicon.frequency import Frequency, Rule
from service.lexicon.term import Localized
from service.match.candidate import Candidate
from service.text.message import Message, Pace
from service.text.span import Span
from service.vocabulary import SEVERITY_RANK


def propose_frequency(message: Message, pace: Pace, frequency: Frequency) -> list[Candidate]:
    """At most one candidate. It is about the conversation, so its span is empty and its field `conversation`."""
    night = frequency.night.holds(message.time)
    held = [
        (SEVERITY_RANK[rule.severity], count, rule)
        for rule in frequency.rule
        if (night or not rule.night) and (count := count_for(rule, message, pace)) >= rule.count
    ]
    if not held:
        return []
    _, count, rule = max(held, key=lambda row: row[:2])
    return [
        Candidate(
            detector="frequency",
            category="harassment",
            severity=rule.severity,
            span=Span(0, 0),
            parts=(Span(0, 0),),
            view="folded",
            value=rule.id,
            reason=fill(rule.reason, rule, count, message),
            evidence=f"{count} in {rule.window} s",
            field="conversation",
        )
    ]


def count_for(rule: Rule, message: Message, pace: Pace) -> int:
    """The messages that `rule` counts, the present one included; 0 where the message is none of its kind."""
    if rule.min_length and sum(map(str.isalnum, message.text)) < rule.min_length:
        return 0
    ages: Sequence[float] = pace.same if rule.identical else pace.sent
    return 1 + sum(age <= rule.window for age in ages)


def fill(reason: Localized, rule: Rule, count: int, message: Message) -> Localized:
    """`reason` with its figures."""
    figures = {"count": count, "minutes": f"{rule.window / 60:g}", "time": f"{message.time:%H:%M}"}
    return Localized(reason.zh_cn.format(**figures), reason.en.format(**figures))
