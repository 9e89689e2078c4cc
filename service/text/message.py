"""What comes in: one outgoing message with who, where and when. Nothing here is checked or changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import NamedTuple

import msgspec

from service.vocabulary import Channel, Platform

MAX_TEXT = 10_000
"""Code points that one message may have; longer ones are refused, never cut off."""


@dataclass(frozen=True, slots=True)
class Assets:
    """What a shop has registered as its own, so that it passes; each as the shop wrote it."""

    domains: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


NO_ASSETS = Assets()


@dataclass(frozen=True, slots=True)
class Image:
    """An attachment after inspection: what its codes say, or why it was not inspected."""

    payloads: tuple[str, ...] = ()
    """Text of each QR code found, in reading order."""
    undecodable: bool = False
    """A code is visible but could not be read."""
    skipped: str = ""
    """Why the picture was not inspected; empty when it was."""


class Earlier(NamedTuple):
    """The end of a message that the same agent sent in the same conversation just before."""

    text: str
    message_id: str
    """The client's id, or the request's where the client gave none."""


class Pace(NamedTuple):
    """How often the agent wrote to this customer lately, each as seconds before the present message, which is left out."""

    sent: tuple[float, ...] = ()
    same: tuple[float, ...] = ()
    """Those of `sent` that said the very same."""


class Message(msgspec.Struct, frozen=True):
    """One outgoing text with what is needed to judge it."""

    text: str
    """As typed, at most 10,000 code points."""
    platform: Platform
    channel: Channel = "chat"
    day: date = date.max
    """The shop's calendar day; decides which terms and policies are in force."""
    time: time = time(12)
    """The shop's time of day; decides what is night."""
    assets: Assets = NO_ASSETS
    images: tuple[Image, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    """Oldest first. What they say together with this message is found, too."""
    pace: Pace | None = None
    """None: not counted."""
