"""A ladder as data (`lexicons/ladders/<scheme>.toml`): what an incident costs, and what happens at which score.

A scheme belongs to a shop, which picks it for its agents, or to a marketplace, and then says what that *would* do.
It has editions with effective dates; each is complete in itself, so an old incident is judged by the rules of its day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from service.lexicon.term import Localized
from service.record.account import AccountKind, Side
from service.vocabulary import Category, Channel, Platform, Severity

Due = Literal["at_once", "upheld", "never"]
"""at_once: with the incident; upheld: once a supervisor has upheld it; never: not by this scheme."""
Occasion = Literal["block", "warn", "override"]
Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Name = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9_.-]{0,63}$")]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Any table of a ladder file."""


class Step(Part, frozen=True, kw_only=True):
    """A counting rule: from the `nth` incident of the window on, all of them together cost this at least."""

    nth: Positive
    points: NotNegative = 0
    cny: NotNegative = 0


class Rule(Part, frozen=True, kw_only=True):
    """What one kind of incident costs. Of a ladder's rules the first that fits a finding is taken."""

    id: Name
    name: Localized = Localized()
    categories: tuple[Category, ...] = ()
    """Empty: any."""
    severities: tuple[Severity, ...] = ()
    channels: tuple[Channel, ...] = ()
    clauses: tuple[str, ...] = ()
    """The platform's numbers as findings carry them, `kuaishou 2.3`; one of them is enough."""
    events: tuple[str, ...] = ()
    """What is no message, such as `late_answer`; a rule is for events or for findings, never for both."""
    points: NotNegative = 0
    cny: NotNegative = 0
    """Whole CNY."""
    steps: tuple[Step, ...] = ()
    consequence: str = ""
    """What happens each time, by its id; empty: nothing but the cost."""


class Consequence(Part, frozen=True, kw_only=True):
    """What is done to an agent or a shop, and for how long. Those that stand later in the file are graver."""

    id: Name
    name: Localized
    lasts: Literal["days", "window", "open"] = "window"
    """window: to the end of the month or year it starts in; open: until it is lifted, or for good."""
    days: NotNegative = 0
    delay_hours: NotNegative = 0
    """How long it stays pending, so that it can be appealed before it starts."""
    cooldown_days: NotNegative = 0
    """After it has started it does not start again for so long."""


class Threshold(Part, frozen=True, kw_only=True):
    """A line: crossing it has a consequence. Exactly one of the two kinds of line."""

    consequence: str
    at_most: NotNegative | None = None
    """Score at or under this; for ladders with a full score."""
    at_least: Positive | None = None
    """Points at or over this."""
    in_a_row: Positive = 1
    """So many windows one after the other must be beyond the line."""


class Edition(Part, frozen=True, kw_only=True):
    """A ladder's rules from `valid_from` on, until the next edition."""

    id: str
    source: str
    valid_from: date
    window: Literal["month", "year", "days"] = "month"
    """In the shop's time zone: its calendar month, its calendar year, or the last `days` days with today."""
    days: NotNegative = 0
    full: Positive | None = None
    """The score that a window starts with; None where points are only added up."""
    highest_only: bool = True
    """Of what one incident brings about, only the gravest happens; else all of it."""
    due: Mapping[Occasion, Due] = {}
    """Overrides what `lexicons/penalties.toml` says."""
    rules: tuple[Rule, ...]
    consequences: tuple[Consequence, ...] = ()
    thresholds: tuple[Threshold, ...] = ()

    def rule(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def consequence(self, consequence_id: str) -> Consequence | None:
        return next((each for each in self.consequences if each.id == consequence_id), None)

    def gravity(self, consequence_id: str) -> int:
        """Greater is graver."""
        return next((rank for rank, each in enumerate(self.consequences) if each.id == consequence_id), -1)


class ExampleStep(Part, frozen=True, kw_only=True):
    """One thing that happens, and what must hold after it. What is not named is not looked at."""

    at: datetime | None = None
    category: Category | None = None
    severity: Severity = "high"
    channel: Channel = "chat"
    clauses: tuple[str, ...] = ()
    event: str = ""
    overturn: int = 0
    """Instead of a new incident: this one (from 1) is overturned."""
    reduce: int = 0
    """Instead of a new incident: this one is reduced to `severity`."""
    points: int | None = None
    cny: int | None = None
    score: int | None = None
    state: str | None = None
    starts: tuple[str, ...] | None = None
    lifts: tuple[str, ...] | None = None


class Example(Part, frozen=True, kw_only=True):
    """A story that is told as a test: incidents of one agent, all of them upheld."""

    name: str
    steps: tuple[ExampleStep, ...]


class Ladder(Part, frozen=True, kw_only=True):
    """One scheme, as its file says."""

    scheme: Name
    name: Localized
    by: Side
    """`shop`: what the shop does; `platform`: what the marketplace would do, shown as exposure."""
    platforms: tuple[Platform, ...] = ()
    """For `by = "platform"`: whose rules these are."""
    accounts: tuple[AccountKind, ...] = ("agent",)
    """Who is charged. Sanctions fall on the first; the others only keep count of what they brought about."""
    editions: tuple[Edition, ...]
    """Oldest first."""
    examples: tuple[Example, ...] = ()

    def edition_on(self, day: date) -> Edition:
        """The edition in force on `day`; before the first one, the first."""
        in_force = [edition for edition in self.editions if edition.valid_from <= day]
        return in_force[-1] if in_force else self.editions[0]

    @property
    def counts_days(self) -> bool:
        """Whether single days matter to it, or only whole months and years."""
        return any(edition.window == "days" for edition in self.editions)

    def edition(self, edition_id: str) -> Edition | None:
        return next((edition for edition in self.editions if edition.id == edition_id), None)


class Defaults(Part, frozen=True, kw_only=True):
    """`lexicons/penalties.toml`: what holds for every scheme."""

    repeat_seconds: NotNegative = 60
    """The same message tried again within so long is one incident; 0: each try is one."""
    due: Mapping[Occasion, Due]
    appeal_within_days: Positive = 30
    """So long after an incident, or after the last decision on it, its agent may appeal."""
    decide_within_hours: Positive = 72
    """So long after an appeal it should be decided."""


class Ladders(msgspec.Struct, frozen=True, kw_only=True):
    """All schemes by name, and what holds for all of them."""

    schemes: Mapping[str, Ladder]
    defaults: Defaults

    def due(self, edition: Edition, occasion: Occasion) -> Due:
        return edition.due.get(occasion) or self.defaults.due[occasion]

    @property
    def by_day(self) -> tuple[str, ...]:
        """The schemes to which single days matter."""
        return tuple(name for name, ladder in self.schemes.items() if ladder.counts_days)

    def of_shop(self, names: tuple[str, ...], platform: Platform) -> tuple[Ladder, ...]:
        """The schemes that the shop picked, and those of its marketplace. A name that no file bears is left out."""
        picked = (self.schemes[name] for name in dict.fromkeys(names) if name in self.schemes)
        theirs = (each for each in self.schemes.values() if each.by == "platform" and platform in each.platforms)
        return (*(each for each in picked if each.by == "shop"), *theirs)
