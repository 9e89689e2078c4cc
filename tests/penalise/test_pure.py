"""Windows, prices, lines and forecasts, without a store."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from service.lexicon.term import Localized
from service.penalise.case import Case, Mark, case_of, rule_for
from service.penalise.charge import Cost, cost_of
from service.penalise.forecast import forecast_of
from service.penalise.ladder import Edition, Ladder, Rule
from service.penalise.load import load_ladders
from service.penalise.replay import Story, begin
from service.penalise.standing import Next, standing_of
from service.penalise.window import Window, end_of, local_day, month_of, window_of, zone_of
from service.record.account import Account, agent_account, shop_account
from service.record.entry import DaySum
from service.settings import shipped_lexicons
from tests.record.factories import make_incident

LADDERS = load_ladders(shipped_lexicons())
TEN_POINT = LADDERS.schemes["ten_point"]
DAY = date(2026, 3, 10)


def ladder(**edition: Any) -> Ladder:
    """A ladder of one edition, with a point for everything."""
    fields = {
        "id": "1", "source": "this test", "valid_from": "2021-01-01", "full": 10, "rules": [{"id": "any", "points": 1}],
        "consequences": [{"id": "talk", "name": {"en": "talk"}}, {"id": "leave", "name": {"en": "leave"}}],
    }  # fmt: skip
    raw = {"scheme": "mine", "name": {}, "by": "shop", "editions": [fields | edition]}
    return msgspec.convert(raw, Ladder)


def case(day: date = DAY, number: int = 0, severity: Any = "high") -> Case:
    sent_at = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    return Case(id=f"{day}-{number}", sent_at=sent_at, agent_id="a", marks=(Mark("abuse", severity),))


def told(ladder: Ladder, *days: date) -> Story:
    story = begin(ladder, Account("t", "agent", "s", "a"))
    for number, day in enumerate(days):
        story.tell(case(day, number))
    return story


def fired(story: Story) -> list[tuple[date, str]]:
    return [(each.day, each.consequence) for each in story.page.started]


@pytest.mark.parametrize(
    ("kind", "days", "day", "key", "before", "after"),
    [
        ("month", 0, date(2026, 3, 31), "2026-03", "2026-02", "2026-04"),
        ("month", 0, date(2026, 1, 1), "2026-01", "2025-12", "2026-02"),
        ("month", 0, date(2028, 2, 29), "2028-02", "2028-01", "2028-03"),
        ("year", 0, date(2026, 12, 31), "2026", "2025", "2027"),
        ("days", 7, date(2026, 3, 3), "2026-02-25/2026-03-03", "2026-02-18/2026-02-24", "2026-03-04/2026-03-10"),
    ],
)
def test_windows(kind: Any, days: int, day: date, key: str, before: str, after: str) -> None:
    edition = ladder(window=kind, days=days).editions[0]
    window = window_of(edition, day)
    assert (window.key, window.before().key, window.after().key) == (key, before, after)
    assert window.first <= day <= window.last


def test_a_day_is_the_shops() -> None:
    moment = datetime(2026, 3, 31, 16, tzinfo=UTC)
    assert local_day(moment, zone_of("Asia/Shanghai")) == date(2026, 4, 1)
    assert local_day(moment, zone_of("Europe/Berlin")) == date(2026, 3, 31)
    assert end_of(date(2026, 3, 31), zone_of("Asia/Shanghai")) == moment
    # The night in which a clock goes forward has a midnight, too.
    assert end_of(date(2026, 3, 28), zone_of("Europe/Berlin")) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert month_of(date(2026, 2, 5)) == Window("month", date(2026, 2, 1), date(2026, 2, 28))


def test_what_the_nth_costs() -> None:
    rule = TEN_POINT.editions[0].rules[0]
    assert [cost_of(rule, nth).points for nth in range(1, 8)] == [1, 1, 3, 1, 4, 1, 1]
    fine = msgspec.convert({"id": "f", "cny": 30, "steps": [{"nth": 2, "cny": 40}]}, Rule)
    # A step that is less than the incidents by themselves takes nothing off.
    assert [cost_of(fine, nth) for nth in (1, 2, 3)] == [Cost(0, 3000), Cost(0, 3000), Cost(0, 3000)]


def test_only_the_gravest_finding_is_priced() -> None:
    taobao = LADDERS.schemes["taobao"].editions[0]
    many = Case(
        id="1", sent_at=datetime(2026, 3, 1, tzinfo=UTC), agent_id="a",
        marks=(Mark("abuse", "medium"), Mark("contact", "critical"), Mark("threat", "high")),
    )  # fmt: skip
    rule = rule_for(taobao, many)
    assert rule is not None
    assert rule.id == "serious"


def test_an_incident_without_findings_is_what_its_head_says() -> None:
    incident = make_incident(findings=(), categories=("abuse", "contact"), severity="high")
    assert case_of(incident).marks == (Mark("abuse", "high"), Mark("contact", "high"))
    assert case_of(incident, "low").marks == (Mark("abuse", "low"), Mark("contact", "low"))


def test_a_rolling_window_forgets() -> None:
    rolling = ladder(window="days", days=7, thresholds=[{"at_most": 8, "consequence": "talk"}])
    story = told(rolling, DAY, DAY + timedelta(days=6), DAY + timedelta(days=12), DAY + timedelta(days=30))
    assert fired(story) == [(DAY + timedelta(days=each), "talk") for each in (6, 12)]
    assert standing_of(rolling, story.page.sums, DAY + timedelta(days=6)).score == 8
    assert standing_of(rolling, story.page.sums, DAY + timedelta(days=7)).score == 9
    assert standing_of(rolling, story.page.sums, DAY + timedelta(days=60)).score == 10


def test_a_cooldown_keeps_a_line_from_firing_again() -> None:
    talk = {"id": "talk", "name": {}, "cooldown_days": 10}
    rolling = ladder(
        window="days", days=2, consequences=[talk], thresholds=[{"at_most": 9, "consequence": "talk"}]
    )  # fmt: skip
    days = [DAY + timedelta(days=each) for each in (0, 4, 8, 10, 14)]
    assert fired(told(rolling, *days)) == [(days[0], "talk"), (days[3], "talk")]


@pytest.mark.parametrize(("highest_only", "expected"), [(True, ["leave"]), (False, ["talk", "leave"])])
def test_highest_only_or_all(highest_only: bool, expected: list[str]) -> None:
    both = ladder(
        highest_only=highest_only,
        rules=[{"id": "any", "points": 9}],
        thresholds=[{"at_most": 5, "consequence": "talk"}, {"at_most": 2, "consequence": "leave"}],
    )
    assert [name for _, name in fired(told(both, DAY))] == expected


def test_pending_until_it_can_be_appealed() -> None:
    delayed = {"id": "talk", "name": {}, "lasts": "days", "days": 3, "delay_hours": 48}
    story = told(ladder(consequences=[delayed], thresholds=[{"at_most": 9, "consequence": "talk"}]), DAY)
    (sanction,) = story.page.started
    start = case().sent_at + timedelta(hours=48)
    assert (sanction.starts_at, sanction.ends_at) == (start, start + timedelta(days=3))
    phases = [sanction.phase(start + timedelta(hours=hours)) for hours in (-1, 0, 71, 72)]
    assert phases == ["pending", "in_force", "in_force", "ended"]


def test_an_old_incident_is_judged_by_the_rules_of_its_day() -> None:
    old = ladder(valid_from="2021-01-01").editions[0]
    new = ladder(id="2", valid_from="2026-03-15", rules=[{"id": "any", "points": 4}]).editions[0]
    both = msgspec.structs.replace(ladder(), editions=(old, new))
    story = told(both, date(2026, 3, 14), date(2026, 3, 15))
    assert [(entry.edition, entry.points) for entry in story.page.entries] == [("1", 1), ("2", 4)]
    assert both.edition_on(date(2020, 1, 1)) is old


def test_what_comes_next() -> None:
    story = told(TEN_POINT, *[DAY] * 3)
    found = story.standing().next
    assert found == Next(2, 3, "penalty", Localized("处罚", "penalty"))
    after_two_bad_months = [date(2026, month, day) for month in (1, 2) for day in (1, 2, 3)]
    story = told(TEN_POINT, *after_two_bad_months, date(2026, 3, 1))
    found = story.standing().next
    assert found is not None
    assert found.consequence == "severe_penalty"


@pytest.mark.parametrize(
    ("earlier", "points", "score", "brings", "following"),
    [
        (0, 1, 9, [], "at 5: spoken warning"),
        (2, 3, 5, ["spoken warning"], "at 2: penalty"),
        (4, 4, 0, ["penalty"], ""),
    ],
)
def test_forecasts(earlier: int, points: int, score: int, brings: list[str], following: str) -> None:
    sums = [DaySum("attitude", DAY, [0, 1, 2, 5, 6][earlier], 0, earlier)]
    found = forecast_of(TEN_POINT, case(), sums, DAY)
    assert found is not None
    assert (found.points, found.score_after, [each.en for each in found.brings]) == (points, score, brings)
    assert found.next.en == following


def test_what_no_rule_fits_is_not_foreseen() -> None:
    clean = Case(id="1", sent_at=case().sent_at, agent_id="a", marks=(Mark("contact", "high"),))
    assert forecast_of(TEN_POINT, clean, [], DAY) is None


def test_a_shop_gets_what_it_picked_and_what_its_marketplace_has() -> None:
    names = [each.scheme for each in LADDERS.of_shop(("kpi", "ten_point", "kpi", "gone", "jd"), "tmall")]
    assert names == ["kpi", "ten_point", "taobao"]
    assert LADDERS.of_shop((), "generic") == ()


def test_due_by_default_and_by_edition() -> None:
    edition, kpi = TEN_POINT.editions[0], LADDERS.schemes["kpi"].editions[0]
    occasions: tuple[Any, ...] = ("block", "warn", "override")
    assert [LADDERS.due(edition, each) for each in occasions] == ["at_once", "upheld", "at_once"]
    assert {LADDERS.due(kpi, each) for each in occasions} == {"upheld"}


def test_accounts_are_told_apart() -> None:
    accounts = [
        agent_account("t", "s", "a"),
        agent_account("t", "sa", ""),
        shop_account("t", "s"),
        shop_account("t", "sa"),
    ]
    assert len({account.id for account in accounts}) == 4
    assert agent_account("t", "s", "a").id == agent_account("t2", "s", "a").id


def test_editions_know_their_parts() -> None:
    edition: Edition = TEN_POINT.editions[0]
    assert edition.rule("nothing") is None
    assert edition.consequence("nothing") is None
    assert edition.gravity("penalty") > edition.gravity("spoken_warning") > edition.gravity("nothing")
