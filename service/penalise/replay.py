"""A ladder told a story in memory: incidents, and what was taken back. Examples run on it, and so do simulations.

ladder, cases in the order in which they are charged -> Told: entries, sanctions, the standing after each
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, tzinfo

from service.penalise.case import Case, Mark
from service.penalise.charge import FEN
from service.penalise.ladder import Example, ExampleStep, Ladder
from service.penalise.page import Page, Stamp
from service.penalise.standing import SchemeStanding, standing_of
from service.penalise.window import SHANGHAI, local_day
from service.record.account import Account


@dataclass(slots=True)
class Story:
    """One account's page, with nothing before it."""

    page: Page
    cases: list[Case] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The day of the last case."""
        return local_day(self.cases[-1].sent_at, self.page.zone)

    def tell(self, case: Case) -> None:
        """A case is upheld as soon as it happens."""
        self.cases.append(case)
        self.page.charge(case, Stamp(case.sent_at))

    def correct(self, case: Case, *, counts: bool) -> None:
        """What is known of a case changes, at the time of the last one."""
        if any(entry.incident_id == case.id for entry in self.page.entries):
            self.page.correct(case, Stamp(self.cases[-1].sent_at), counts=counts)

    def standing(self) -> SchemeStanding:
        return standing_of(self.page.ladder, self.page.sums, self.today)


def begin(ladder: Ladder, account: Account, zone: tzinfo = SHANGHAI) -> Story:
    """An account to which nothing has happened yet."""
    return Story(Page(ladder, account, zone, {(account.tenant_id, account.id): 0}))


def failures(ladder: Ladder, example: Example) -> list[str]:
    """Tells the example and says, in a sentence each, where it comes out otherwise than it claims."""
    kind = ladder.accounts[0]
    story = begin(ladder, Account("example", kind, "shop", "agent" if kind == "agent" else ""))
    found = []
    for number, step in enumerate(example.steps, start=1):
        started, lifted = len(story.page.started), len(story.page.lifted)
        _tell(story, step)
        standing = story.standing()
        seen = {
            "points": standing.points,
            "cny": standing.money / FEN,
            "score": standing.score,
            "state": standing.state,
            "starts": tuple(each.consequence for each in story.page.started[started:]),
            "lifts": tuple(each.consequence for each in story.page.lifted[lifted:]),
        }
        for name, value in seen.items():
            claimed = getattr(step, name)
            if claimed is not None and claimed != value:
                found.append(f"{ladder.scheme}: {example.name}, step {number}: {name} is {value}, not {claimed}")
    return found


def _tell(story: Story, step: ExampleStep) -> None:
    earlier = step.overturn or step.reduce
    if earlier:
        case = story.cases[earlier - 1]
        marks = tuple(Mark(mark.category, step.severity, mark.clauses) for mark in case.marks)
        changed = Case(id=case.id, sent_at=case.sent_at, agent_id="agent", channel=case.channel, marks=marks)
        story.correct(changed if step.reduce else case, counts=bool(step.reduce))
        return
    if step.at is None:
        raise ValueError(f"a step needs `at`, `overturn` or `reduce`: {step}")
    marks = (Mark(step.category, step.severity, step.clauses),) if step.category else ()
    number = str(len(story.cases) + 1)
    story.tell(Case(id=number, sent_at=step.at, agent_id="agent", channel=step.channel, marks=marks, event=step.event))
