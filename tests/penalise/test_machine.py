"""Whatever happens to an account, it stands where it would stand had what was taken back never been."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from service.penalise.case import Case, Mark
from service.penalise.charge import Cost
from service.penalise.ladder import Ladder
from service.penalise.load import load_ladders
from service.penalise.page import Page, Stamp, fell
from service.penalise.replay import Story, begin
from service.penalise.standing import standing_of
from service.record.account import Account
from service.record.entry import LedgerEntry
from service.settings import shipped_lexicons
from service.vocabulary import SEVERITIES, Severity

SHIPPED = load_ladders(shipped_lexicons()).schemes
FIRST = datetime(2026, 1, 30, 15, 59, 59, tzinfo=UTC)
ROLLING = msgspec.convert(
    {
        "scheme": "rolling",
        "name": {"en": "seven days"},
        "by": "shop",
        "editions": [
            {
                "id": "1",
                "source": "this test",
                "valid_from": "2021-01-01",
                "window": "days",
                "days": 7,
                "full": 20,
                "highest_only": False,
                "rules": [{"id": "any", "points": 2, "cny": 5, "steps": [{"nth": 4, "points": 12}]}],
                "consequences": [{"id": "talk", "name": {}, "lasts": "days", "days": 2}, {"id": "leave", "name": {}}],
                "thresholds": [
                    {"at_most": 15, "consequence": "talk"},
                    {"at_most": 8, "consequence": "leave"},
                ],
            }
        ],
    },
    Ladder,
)
LADDERS = [SHIPPED["ten_point"], SHIPPED["kpi"], SHIPPED["taobao"], SHIPPED["pinduoduo"], ROLLING]


class AccountMachine(RuleBasedStateMachine):
    """Incidents, verdicts and adjustments of one account, over some months, in any order."""

    ladder = LADDERS[0]

    def __init__(self) -> None:
        super().__init__()
        self.story = self.begin()
        self.cases: list[Case] = []
        self.counting: list[bool] = []
        self.adjustments: list[tuple[LedgerEntry, bool]] = []
        self.order: list[int | LedgerEntry] = []

    def begin(self) -> Story:
        kind = self.ladder.accounts[0]
        return begin(self.ladder, Account("t", kind, "s", "a" if kind == "agent" else ""))

    @property
    def page(self) -> Page:
        return self.story.page

    @rule(hours=st.integers(0, 24 * 100), severity=st.sampled_from(SEVERITIES))
    def incident(self, hours: int, severity: Severity) -> None:
        marks = (Mark("abuse", severity, ()),)
        case = Case(id=str(len(self.cases)), sent_at=FIRST + timedelta(hours=hours), agent_id="a", marks=marks)
        self.order.append(len(self.cases))
        self.cases.append(case)
        self.counting.append(True)
        self.story.tell(case)

    @rule(data=st.data(), counts=st.booleans())
    def review(self, data: st.DataObject, counts: bool) -> None:
        if self.cases:
            number = data.draw(st.integers(0, len(self.cases) - 1))
            self.counting[number] = counts
            self.story.correct(self.cases[number], counts=counts)

    @rule(data=st.data(), severity=st.sampled_from(SEVERITIES))
    def reduce(self, data: st.DataObject, severity: Severity) -> None:
        if self.cases:
            number = data.draw(st.integers(0, len(self.cases) - 1))
            self.cases[number] = replace(self.cases[number], marks=(Mark("abuse", severity, ()),))
            self.counting[number] = True
            self.story.correct(self.cases[number], counts=True)

    @rule(days=st.integers(0, 100), points=st.integers(-6, 6))
    def adjust(self, days: int, points: int) -> None:
        self.page.adjust((FIRST + timedelta(days=days)).date(), Cost(points, 0), Stamp(FIRST))
        self.adjustments.append((self.page.added[-1], True))
        self.order.append(self.page.added[-1])

    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        standing = [number for number, (_, stands) in enumerate(self.adjustments) if stands]
        if standing:
            number = data.draw(st.sampled_from(standing))
            entry, _ = self.adjustments[number]
            self.page.take_back(entry, Stamp(FIRST))
            self.adjustments[number] = (entry, False)

    @invariant()
    def sums_are_sums_of_entries(self) -> None:
        of_entries: Counter[tuple[str, date]] = Counter()
        of_sums: Counter[tuple[str, date]] = Counter()
        for entry in self.page.entries:
            day = entry.day if self.ladder is ROLLING else entry.day.replace(day=1)
            of_entries[entry.rule, day] += entry.points + 1000 * entry.incidents + 7 * entry.money
        for each in self.page.sums:
            of_sums[each.rule, each.day] += each.points + 1000 * each.incidents + 7 * each.money
        assert {k: v for k, v in of_entries.items() if v} == {k: v for k, v in of_sums.items() if v}

    @invariant()
    def entries_are_in_order(self) -> None:
        assert [entry.seq for entry in self.page.entries] == list(range(1, len(self.page.entries) + 1))
        reversed_ = [entry.reversal_of for entry in self.page.entries if entry.reversal_of]
        assert len(reversed_) == len(set(reversed_))
        charged = [entry.incident_id for entry in self.page.entries if entry.kind == "charge"]
        assert len(charged) == len(set(charged))

    @invariant()
    def what_was_overturned_costs_nothing(self) -> None:
        for case, counts in zip(self.cases, self.counting, strict=True):
            own = [entry for entry in self.page.entries if entry.incident_id == case.id]
            if not counts:
                assert [sum(getattr(each, name) for each in own) for name in ("points", "money", "incidents")] == [
                    0
                ] * 3

    def teardown(self) -> None:
        """As if it had never been: the same story without what was taken back."""
        fresh = self.begin()
        standing = {entry.id for entry, stands in self.adjustments if stands}
        charged = {entry.incident_id for entry in self.page.entries}
        for each in self.order:
            if isinstance(each, int):
                if self.counting[each] and self.cases[each].id in charged:
                    fresh.tell(self.cases[each])
            elif each.id in standing:
                fresh.page.adjust(each.day, Cost(each.points, 0), Stamp(FIRST))
        for days in range(0, 120, 5):
            today = (FIRST + timedelta(days=days)).date()
            assert standing_of(self.ladder, self.page.sums, today) == standing_of(self.ladder, fresh.page.sums, today)
        assert _live(self.page) == _live(fresh.page)


def _live(page: Page) -> Counter[tuple[str, str]]:
    return Counter((each.consequence, each.occasion) for each in page.sanctions if not fell(each))


@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: ladder.scheme)
def test_stands_as_if_it_had_never_been(ladder: Ladder) -> None:
    machine = type("Machine", (AccountMachine,), {"ladder": ladder})
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))
