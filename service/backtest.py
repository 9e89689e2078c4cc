"""What a draft would have done: every message decided as it is now and as it would be, and what differs.

Plain and synchronous; a process of its own runs it, so that nobody who waits for a decision waits for this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Annotated
from zlib import crc32

import msgspec

from service.decide.decision import Decision
from service.engine import Engine
from service.text.message import MAX_TEXT, Message
from service.vocabulary import ACTION_RANK, Action, Channel, Platform

MAX_MESSAGES = 200_000
MAX_EXAMPLES = 100
"""Changed decisions that are shown each way; all are counted."""

MAX_TERMS = 1000
"""Terms whose counts are shown, those with the largest difference."""


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message to try."""

    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
    platform: Platform = "generic"
    channel: Channel = "chat"


class Changed(msgspec.Struct, frozen=True):
    """A message that would be decided otherwise."""

    text: str
    platform: Platform
    before: Action
    after: Action
    terms: tuple[str, ...]
    """What finds something on one side only: ids of terms, names of detectors."""


class TermCount(msgspec.Struct, frozen=True):
    """In how many messages something was found."""

    term: str
    before: int
    after: int


class Report(msgspec.Struct, frozen=True):
    """What a draft would change."""

    version: str
    messages: int
    changed: int
    decisions: dict[str, int]
    """`allow -> block` and so on, with how many."""
    stricter: tuple[Changed, ...]
    """The worst new hits first: what was allowed and would be blocked, and of those what the busiest term does."""
    looser: tuple[Changed, ...]
    terms: tuple[TermCount, ...]
    """Those whose counts differ, the largest difference first."""


class Found(msgspec.Struct, frozen=True, array_like=True):
    """What a share of a backtest has found."""

    done: int
    decisions: list[tuple[Action, Action, int]]
    before: dict[str, int]
    after: dict[str, int]
    changed: list[tuple[int, Changed]]


Judged = tuple[Action, frozenset[str]]


@dataclass(slots=True)
class Backtest:
    """A run, message by message."""

    present: Engine
    draft: Engine
    version: str
    samples: Sequence[Sample]
    today: date
    done: int = 0
    decisions: Counter[tuple[Action, Action]] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    changed: list[tuple[int, Changed]] = field(default_factory=list)
    """With the place of the message, in order."""
    known: dict[Sample, tuple[Judged, Judged]] = field(default_factory=dict)
    """Agents say the same again and again."""
    places: Sequence[int] | None = None
    """Of the samples in the whole of which they are a share."""

    def step(self, count: int) -> int:
        """Tries the next `count` messages; returns how many are done."""
        for number, sample in enumerate(self.samples[self.done : self.done + count], self.done):
            known = self.known.get(sample)
            if known is None:
                message = Message(sample.text, sample.platform, sample.channel, self.today)
                known = self.known[sample] = judged(self.present.decide(message)), judged(self.draft.decide(message))
            self._compare(number if self.places is None else self.places[number], sample, *known)
        self.done = min(len(self.samples), self.done + count)
        return self.done

    def _compare(self, place: int, sample: Sample, present: Judged, draft: Judged) -> None:
        (was, old), (now, new) = present, draft
        self.before.update(old)
        self.after.update(new)
        if was != now:
            self.decisions[was, now] += 1
            terms = tuple(sorted(old ^ new))
            self.changed.append((place, Changed(sample.text, sample.platform, was, now, terms)))

    def shares(self, count: int) -> list[Backtest]:
        """As many backtests that are this one together; what is said again is in the same share."""
        places: list[list[int]] = [[] for _ in range(count)]
        for place, sample in enumerate(self.samples):
            places[crc32(sample.text.encode("utf-8", "surrogatepass")) % count].append(place)
        return [
            Backtest(self.present, self.draft, self.version, [self.samples[n] for n in mine], self.today, places=mine)
            for mine in places
        ]

    def found(self) -> bytes:
        """What `add` takes."""
        decisions = [(*key, count) for key, count in self.decisions.items()]
        return msgspec.msgpack.encode(Found(self.done, decisions, dict(self.before), dict(self.after), self.changed))

    def add(self, found: bytes) -> None:
        """Takes over what a share of this one has found."""
        share = msgspec.msgpack.decode(found, type=Found)
        self.done += share.done
        self.decisions.update({(old, new): count for old, new, count in share.decisions})
        self.before.update(share.before)
        self.after.update(share.after)
        self.changed = sorted([*self.changed, *share.changed], key=itemgetter(0))

    def report(self) -> Report:
        """What has been found so far."""
        gained = {name: self.after[name] - self.before[name] for name in self.before | self.after}

        def weight(each: Changed) -> tuple[int, int]:
            step = ACTION_RANK[each.after] - ACTION_RANK[each.before]
            return abs(step), max((abs(gained[name]) for name in each.terms), default=0)

        ordered = sorted((each for _, each in self.changed), key=weight, reverse=True)
        stricter = [each for each in ordered if ACTION_RANK[each.after] > ACTION_RANK[each.before]]
        looser = [each for each in ordered if ACTION_RANK[each.after] < ACTION_RANK[each.before]]
        differing = sorted((name for name in gained if gained[name]), key=lambda name: (-abs(gained[name]), name))
        return Report(
            version=self.version,
            messages=self.done,
            changed=len(self.changed),
            decisions={f"{old} -> {new}": count for (old, new), count in self.decisions.most_common()},
            stricter=tuple(stricter[:MAX_EXAMPLES]),
            looser=tuple(looser[:MAX_EXAMPLES]),
            terms=tuple(TermCount(name, self.before[name], self.after[name]) for name in differing[:MAX_TERMS]),
        )


def judged(decision: Decision) -> Judged:
    """What counts of a decision."""
    return decision.action, frozenset(names_of(decision))


def names_of(decision: Decision) -> set[str]:
    """The terms and detectors that found something."""
    hits = [verdict.finding.candidate for verdict in decision.verdicts]
    return {hit.term.id if hit.term else hit.detector for hit in hits}
