"""A ladder against recorded history: who would have been sanctioned when, and how the scores would have fallen. Pure.

Every account begins with nothing, and an incident counts as it stands today: what was overturned never was, what was
reduced is what it was reduced to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from service.penalise.case import case_of, rule_for
from service.penalise.ladder import Ladder, Ladders, Occasion
from service.penalise.page import Stamp
from service.penalise.replay import Story, begin
from service.penalise.standing import score_of, total
from service.penalise.window import Window, local_day, window_of
from service.record.account import Account
from service.record.incident import Incident
from service.record.sanction import Sanction


@dataclass(frozen=True, slots=True)
class Fallen:
    """A sanction that there would have been, and the incident that would have brought it about."""

    sanction: Sanction
    incident_id: str


@dataclass(frozen=True, slots=True)
class Simulation:
    """What would have been."""

    charged: int
    """How many of the incidents would have cost something, or had a consequence."""
    accounts: int
    """How many agents or shops would have been charged."""
    fallen: tuple[Fallen, ...]
    """By time."""
    histogram: Mapping[str, Mapping[int, int]]
    """For each window: score at its end, or points where there is no full score -> how many accounts. Only those that
    were charged in it; of a rolling window only the one that ends with the account's last incident.
    """


def simulate(
    ladder: Ladder,
    ladders: Ladders,
    incidents: Iterable[Incident],
    zone_of_shop: Callable[[str], tzinfo],
    *,
    every: bool = False,
    breathe: Callable[[], None] = lambda: None,
) -> Simulation:
    """Tells the ladder one tenant's incidents, oldest first. With `every`, as if each of them were upheld; else they count
    as `due` says. `breathe` is called between incidents, for whoever must let others work.
    """
    memory = timedelta(days=max((c.cooldown_days for e in ladder.editions for c in e.consequences), default=0))
    stories: dict[Account, Story] = {}
    charged = 0
    for incident in incidents:
        breathe()
        if ladder.by == "platform" and incident.platform not in ladder.platforms:
            continue
        zone = zone_of_shop(incident.shop_id)
        edition = ladder.edition_on(local_day(incident.sent_at, zone))
        case = case_of(incident, incident.reduced_to)
        if not counts(incident, ladders.due(edition, occasion_of(incident)), every) or rule_for(edition, case) is None:
            continue
        agent = ladder.accounts[0] == "agent"
        account = Account(incident.tenant_id, ladder.accounts[0], incident.shop_id, incident.agent_id if agent else "")
        if account not in stories:
            stories[account] = begin(ladder, account, zone)
        story = stories[account]
        story.cases.append(case)
        story.page.charge(case, Stamp(incident.created_at))
        # Of earlier sanctions a charge asks only whether they are cooling down.
        story.page.sanctions = [each for each in story.page.sanctions if story.today - each.day < memory]
        charged += 1
    fallen = sorted(
        (each for story in stories.values() for each in _fallen(story)), key=lambda each: each.sanction.created_at
    )
    return Simulation(charged, len(stories), tuple(fallen), _histogram(stories.values()))


def occasion_of(incident: Incident) -> Occasion:
    return "override" if incident.overridden_at is not None else incident.decision


def counts(incident: Incident, due: str, every: bool) -> bool:
    """Whether an incident costs something as it stands today."""
    if incident.state == "overturned":
        return False
    # An appeal leaves the decision before it in force until there is another one.
    upheld = incident.state in ("upheld", "reduced") or (
        incident.state == "appealed" and incident.reviewed_at is not None
    )
    return every or due == "at_once" or (due == "upheld" and upheld)


def _fallen(story: Story) -> Iterable[Fallen]:
    incidents = {entry.id: entry.incident_id or "" for entry in story.page.added}
    return [Fallen(sanction, incidents[sanction.entry_id]) for sanction in story.page.started]


def _histogram(stories: Iterable[Story]) -> Mapping[str, Mapping[int, int]]:
    found: dict[str, Counter[int]] = {}
    for story in stories:
        ladder = story.page.ladder
        windows: dict[str, Window] = {}
        for case in story.cases:
            day = local_day(case.sent_at, story.page.zone)
            window = window_of(ladder.edition_on(day), day)
            windows["days" if window.kind == "days" else window.key] = window
        for key, window in windows.items():
            points = total(story.page.sums, window).points
            score = score_of(ladder.edition_on(window.last), points)
            found.setdefault(key, Counter())[points if score is None else score] += 1
    return {key: dict(sorted(found[key].items())) for key in sorted(found)}
