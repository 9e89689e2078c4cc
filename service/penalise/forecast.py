"""What a message would cost, were it held against the agent: by the shop's schemes, and, as exposure, by the
marketplace's. Pure; the sums are given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from service.lexicon.term import Localized
from service.penalise.case import Case, rule_for
from service.penalise.charge import cost_of
from service.penalise.ladder import Edition, Ladder
from service.penalise.sanction import add, brought_about, folded
from service.penalise.standing import Next, next_of, score_of, total
from service.penalise.window import window_of
from service.record.account import AccountKind
from service.record.entry import DaySum
from service.record.outcome import Forecast

Sums = Callable[[AccountKind, str], Sequence[DaySum]]
"""The sums by day of the agent's or of the shop's account in a scheme."""


def forecasts_of(ladders: Sequence[Ladder], case: Case, sums: Sums, day: date) -> tuple[Forecast, ...]:
    """One for each ladder by which the case costs something or has a consequence, on the account that sanctions fall on.

    `day` is the shop's.
    """
    found = (forecast_of(ladder, case, sums(ladder.accounts[0], ladder.scheme), day) for ladder in ladders)
    return tuple(each for each in found if each is not None)


def forecast_of(ladder: Ladder, case: Case, sums: Sequence[DaySum], day: date) -> Forecast | None:
    """What the case adds to `sums`; None where no rule of the ladder fits it."""
    edition = ladder.edition_on(day)
    rule = rule_for(edition, case)
    if rule is None:
        return None
    window = window_of(edition, day)
    before = folded(ladder, sums)
    cost = cost_of(rule, total(before, window, rule.id).incidents + 1)
    after = add(ladder, before, DaySum(rule.id, day, cost.points, cost.money, 1))
    points = total(after, window).points
    brings = [consequence for consequence, _ in brought_about(edition, before, after, day, rule.id)]
    return Forecast(
        scheme=ladder.scheme,
        side=ladder.by,
        points=cost.points,
        money=cost.money,
        points_after=points,
        score_after=score_of(edition, points),
        brings=tuple(_name(edition, each) for each in brings),
        next=in_words(edition, next_of(edition, tuple(after), window)),
    )


def in_words(edition: Edition, following: Next | None) -> Localized:
    """`at 5: spoken warning`; empty when nothing follows."""
    if following is None:
        return Localized()
    counted = "降至" if edition.full is not None else "累计"
    name = following.name
    return Localized(f"{counted} {following.at} 分：{name.zh_cn}", f"at {following.at}: {name.en}")


def _name(edition: Edition, consequence_id: str) -> Localized:
    consequence = edition.consequence(consequence_id)
    return consequence.name if consequence else Localized()
