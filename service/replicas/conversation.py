"""What is remembered of a conversation: the last few messages of one agent, and how often the agent wrote to one customer.

An Attempt goes in, what came before it comes out. Here is what both stores have in common: the nouns, the protocol, and the
reading of what is stored. Blocked messages are withdrawn: they were not sent, so they are no part of the conversation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import takewhile
from typing import Protocol

import msgspec

from service.lexicon.frequency import LONGEST_WINDOW
from service.text.message import Earlier, Pace
from service.verify.seams import tail_of

SKEW = 1.0
"""Seconds by which the clocks of two replicas may differ."""


class Said(msgspec.Struct, frozen=True, array_like=True):
    """A message in a window: all that can matter for the next one."""

    key: str
    """Equal for retries of one message, and for nothing else."""
    message_id: str
    text: str
    """Its end."""
    at: float
    """Seconds since 1970."""


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """A message in a count."""

    key: str
    digest: str
    """Of what it says; empty where it says nothing."""
    at: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """A message that is about to be decided on, with the places where it is remembered."""

    group: str
    """Tenant, shop and agent, hashed: what belongs together on one node of a cluster."""
    window: str
    """The conversation, hashed; empty: none is known."""
    counter: str
    """The customer, else the conversation, hashed."""
    said: Said
    counted: Counted


@dataclass(frozen=True, slots=True)
class Recent:
    """What came before a message."""

    earlier: tuple[Earlier, ...] = ()
    pace: Pace | None = None
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is remembered."""

    messages: int = 4
    """Earlier messages of a window."""
    seconds: float = 120.0
    """How old they may be."""
    conversations: int = 10_000
    """Windows, and counts, that one process keeps in memory; the least recently used go first."""

    @property
    def stored(self) -> int:
        """Messages stored of a window: retries are stored, too, and told apart when they are read."""
        return 2 * (self.messages + 1)


class ConversationStore(Protocol):
    """Where conversations are remembered."""

    @property
    def lost(self) -> bool:
        """Others should share it, and do not at this moment."""
        ...

    async def append(self, attempt: Attempt, now: float) -> Recent:
        """Remembers `attempt` and gives what came before it, in one step: of two messages at once one sees the other.

        A retry is remembered once. `now`: seconds since 1970, when it arrived.
        """
        ...

    async def withdraw(self, attempt: Attempt) -> None:
        """Forgets `attempt`; nothing happens when it is forgotten already."""
        ...

    async def close(self) -> None:
        """Gives back what it holds."""
        ...


def make_attempt(
    *, tenant: str, shop: str, agent: str, conversation: str | None, customer: str | None,
    key: str, message_id: str, text: str, at: float,
) -> Attempt | None:  # fmt: skip
    """The attempt to send `text`; None where neither conversation nor customer are known: nobody could say who reads it."""
    if conversation is None and customer is None:
        return None
    words = "".join(text.split())
    return Attempt(
        group=digest(tenant, shop, agent),
        window=digest("conversation", conversation) if conversation is not None else digest("customer", customer or ""),
        counter=digest("customer", customer) if customer is not None else digest("conversation", conversation or ""),
        said=Said(key, message_id, tail_of(text), at),
        counted=Counted(key, digest(words) if words else "", at),
    )


def digest(*words: str) -> str:
    """22 hex digits that stand for `words`: ids may hold anything, and of any length."""
    content = b"\0".join(word.replace("\0", "\0\0").encode() for word in words)
    return blake2b(content, digest_size=11).hexdigest()


def read_window(stored: Iterable[Said], attempt: Attempt, bounds: Bounds) -> tuple[Earlier, ...]:
    """The messages before `attempt`, from what is stored in the order of arrival."""
    own = attempt.said
    first: dict[str, Said] = {}
    for said in stored:
        first.setdefault(said.key, said)
    before = takewhile(lambda said: said.key != own.key, first.values())
    recent = [said for said in before if said.text and -SKEW <= own.at - said.at <= bounds.seconds]
    return tuple(Earlier(said.text, said.message_id) for said in recent[-bounds.messages :]) if bounds.messages else ()


def read_pace(stored: Iterable[Counted], attempt: Attempt) -> Pace:
    """How long before `attempt` each other message was sent."""
    own = attempt.counted
    # A retry is stored again when the client gave no time; it counts once.
    others = {each.key: each for each in stored if each.key != own.key and is_near(own, each)}
    ages = [(max(0.0, own.at - each.at), each.digest) for each in others.values()]
    same = tuple(age for age, said in ages if said == own.digest) if own.digest else ()
    return Pace(tuple(age for age, _ in ages), same)


def is_near(own: Counted, other: Counted) -> bool:
    return -SKEW <= own.at - other.at <= LONGEST_WINDOW
