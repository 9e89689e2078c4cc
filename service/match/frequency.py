"""Too many messages to one customer: the counts of a message in, a candidate of the gravest rule that holds out.

Nothing is counted here; how many were sent before comes with the message.
"""

from __future__ import annotations

from service.lexicon.frequency import Frequency, Rule
from service.match.candidate import Candidate
from service.text.message import Message, Pace
from service.text.span import Span
from service.vocabulary import SEVERITY_RANK


def propose_frequency(message: Message, pace: Pace, frequency: Frequency) -> list[Candidate]:
    """At most one candidate. It is about the conversation, so its span is empty and its field `conversation`."""
    held = holding(message, pace, frequency)
    if not held:
        return []
    count, rule = max(held, key=lambda row: (SEVERITY_RANK[row[1].severity], row[0]))
    return [
        Candidate(
            detector="frequency",
            category="harassment",
            severity=rule.severity,
            span=Span(0, 0),
            parts=(Span(0, 0),),
            view="folded",
            value=rule.id,
            reason=rule.explain(count, message.time),
            evidence=f"{count} in {rule.window} s",
            field="conversation",
        )
    ]


def holding(message: Message, pace: Pace, frequency: Frequency) -> list[tuple[int, Rule]]:
    """Every rule that holds, with the number of messages it counts."""
    night = frequency.night.holds(message.time)
    counted = [(count_for(rule, message, pace), rule) for rule in frequency.rule if night or not rule.night]
    return [(count, rule) for count, rule in counted if count >= rule.count]


def count_for(rule: Rule, message: Message, pace: Pace) -> int:
    """The messages that `rule` counts, the present one included; 0 where the message is none of its kind."""
    if rule.min_length and sum(map(str.isalnum, message.text)) < rule.min_length:
        return 0
    ages = pace.same if rule.identical else pace.sent
    return 1 + sum(age <= rule.window for age in ages)
