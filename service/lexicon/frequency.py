"""How many messages to one customer are too many, as data (`lexicons/frequency.toml`). Nothing here counts."""

from __future__ import annotations

from datetime import time
from typing import Annotated

import msgspec
from msgspec import Meta

from service.lexicon.term import Localized
from service.text.message import Message, Pace
from service.vocabulary import Severity

LONGEST_WINDOW = 900
"""Seconds that a rule may look back: what is counted is remembered for so long."""
HIGHEST_COUNT = 64
"""Messages to one customer that are remembered."""


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An example: messages evenly spread over some seconds, the last one at a time of day."""

    messages: Annotated[int, Meta(ge=1, le=HIGHEST_COUNT)]
    seconds: Annotated[float, Meta(ge=0)]
    at: time
    text: str = ""
    """What all of them say; empty: each says something else."""

    def replay(self) -> tuple[Message, Pace]:
        """The last message, and how long before it the others were sent."""
        apart = self.seconds / max(1, self.messages - 1)
        ages = tuple(apart * number for number in range(1, self.messages))
        return Message(self.text or "…", "generic", time=self.at), Pace(ages, ages if self.text else ())


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A number of messages in a time that is harassment."""

    id: str
    count: Annotated[int, Meta(ge=2, le=HIGHEST_COUNT)]
    """Messages, the present one included."""
    window: Annotated[int, Meta(ge=1, le=LONGEST_WINDOW)]
    """Seconds up to the present message."""
    severity: Severity
    reason: Localized
    """With {count}, {minutes} and {time} where the figures go."""
    identical: bool = False
    """Only messages that say the same as the present one."""
    min_length: int = 0
    """Letters and digits that the present message must have."""
    night: bool = False
    """Only during the night."""
    hits: tuple[Run, ...] = ()
    passes: tuple[Run, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        # A field that is misspelled must not come to light in the first night that somebody floods a customer.
        try:
            self.explain(self.count, time(0))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"reason can't be filled in ({error}); it knows {{count}}, {{minutes}}, {{time}}"
            ) from None

    def explain(self, count: int, moment: time) -> Localized:
        """The reason with its figures."""
        figures = {"count": count, "minutes": f"{self.window / 60:g}", "time": f"{moment:%H:%M}"}
        return Localized(self.reason.zh_cn.format(**figures), self.reason.en.format(**figures))


class Night(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The hours of the night, in the shop's time zone; over midnight when `from` is the later one."""

    from_: time
    until: time

    def holds(self, moment: time) -> bool:
        """`from` belongs to the night, `until` no more."""
        if self.from_ <= self.until:
            return self.from_ <= moment < self.until
        return moment >= self.from_ or moment < self.until


class Frequency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    night: Night
    rule: tuple[Rule, ...] = ()


NEVER = Frequency(Night(time(0), time(0)))
"""Nothing is too often."""
