"""What completes only together with earlier messages: 微 / 信 / abc123 in three messages.

In: a message with the ones sent just before it, and what the ordinary pass found. Out: findings and dismissals that hold
characters of the present message and of an earlier one, with their spans in the present message.

Honest messages follow each other without punctuation, too, so two whole words that happen to meet at a seam are no hit:
either the seam cuts a word or a number, or the messages say little else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import msgspec

from service.lexicon.policy import PlatformRules
from service.match.bridges import Bridges
from service.match.candidate import Candidate
from service.match.disguise import SPLIT_MESSAGES
from service.match.propose import Proposals, Proposer
from service.normalise.tables import Tables
from service.text.message import Earlier, Message
from service.text.span import Span
from service.verify.finding import Dismissal, Finding
from service.verify.verify import Verifier

START = re.compile(r"(?:[\W_]*[^\W_]){0,32}[\W_]*")
"""32 letters and digits, and what stands between them: longer than any hit with the surroundings that checks look at."""
FARTHEST = 256
"""Code points of earlier texts that are looked at."""
MOST = 0.6
"""Of the letters and digits of all the messages that a hit lies in."""
NUMBERS = frozenset({"phones", "cards", "identities"})
DATE_OR_TIME = re.compile("[:/年月]")

Results = tuple[list[Finding], list[Dismissal]]


@dataclass(frozen=True, slots=True)
class Joined:
    """The end of the earlier texts and the start of the present one, as if they had been typed at once."""

    text: str
    seam: int
    """Where the present message begins in `text`."""
    messages: Sequence[tuple[Span, Earlier]]
    """Each earlier message with its place in `text`."""
    present: str
    """The whole present text."""

    def crossing(self, candidate: Candidate) -> Span | None:
        """The place of `candidate` that holds characters of both sides, if one does."""
        if candidate.field != "text":
            return None
        return next((span for span in (candidate.span, *candidate.more) if span.start < self.seam < span.end), None)

    def says_little_else(self, place: Span) -> bool:
        """Whether `place` is most of what the messages that it lies in say."""
        if len(self.present) > FARTHEST:
            return False
        texts = [self.present, *(each.text for span, each in self.messages if span.overlaps(place))]
        whole = sum(sum(map(str.isalnum, text)) for text in texts)
        return sum(map(str.isalnum, self.text[place.start : place.end])) >= MOST * whole

    def relocate(self, candidate: Candidate, place: Span) -> Candidate:
        """`candidate` with its span in the present message, and with the messages that it began in."""
        return replace(
            candidate,
            span=Span(0, place.end - self.seam),
            more=(),
            disguises=tuple(sorted({*candidate.disguises, SPLIT_MESSAGES})),
            earlier=tuple(each.message_id for span, each in self.messages if span.overlaps(place)),
        )


def join(earlier: Sequence[Earlier], text: str) -> Joined:
    """Nothing is put in between: whoever takes a word apart does not either."""
    before = "".join(each.text for each in earlier)[-FARTHEST:]
    seam = end_of(START, before[::-1])
    left_out = sum(len(each.text) for each in earlier) - seam
    ends = [end - left_out for end in accumulate(len(each.text) for each in earlier)]
    places = [Span(max(0, end - len(each.text)), max(0, end)) for each, end in zip(earlier, ends, strict=True)]
    whole = before[len(before) - seam :] + text[: end_of(START, text)]
    return Joined(whole, seam, list(zip(places, earlier, strict=True)), text)


def tail_of(text: str) -> str:
    """The end of an earlier message: all of it that `join` can look at."""
    return text[-FARTHEST:][-end_of(START, text[: -FARTHEST - 1 : -1]) or len(text) :]


def end_of(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0


def find_over_seam(
    message: Message,
    rules: PlatformRules,
    bridges: Bridges,
    proposer: Proposer,
    verifier: Verifier,
    ordinary: Sequence[Candidate],
) -> Results:
    """What the message says with `message.earlier` that none says alone; `ordinary` was seen in the message alone."""
    last = next((each.text for each in reversed(message.earlier) if any(map(str.isalnum, each.text))), "")
    if not bridges.may_cross(last, message.text):
        return [], []
    joined = join(message.earlier, message.text)
    whole = msgspec.structs.replace(message, text=joined.text, images=(), earlier=(), pace=None)
    proposals = proposer.propose(whole, rules)
    places: dict[int, Span] = {}
    for candidate in proposals.candidates:
        place = joined.crossing(candidate)
        if place and is_one_thing(candidate, place, joined, proposals, proposer.tables, ordinary):
            places[id(candidate)] = place
    if not places:
        return [], []
    chosen = [candidate for candidate in proposals.candidates if id(candidate) in places]
    findings, dismissals = verifier.verify(msgspec.structs.replace(proposals, candidates=chosen), whole, rules)
    return (
        [replace(each, candidate=joined.relocate(each.candidate, places[id(each.candidate)])) for each in findings],
        [replace(each, candidate=joined.relocate(each.candidate, places[id(each.candidate)])) for each in dismissals],
    )


def is_one_thing(
    candidate: Candidate,
    place: Span,
    joined: Joined,
    proposals: Proposals,
    tables: Tables,
    ordinary: Sequence[Candidate],
) -> bool:
    """Whether a hit over the seam was taken apart there, or only two things follow each other."""
    surface = joined.text[place.start : place.end]
    if candidate.term is not None:
        folded = proposals.views.folded
        inside = any(cut.start < joined.seam < cut.end for cut in (folded.span(*part) for part in candidate.parts))
        return inside or joined.says_little_else(place)
    if candidate.detector in NUMBERS and DATE_OR_TIME.search(surface):
        return False
    if cuts_latin(joined, tables):
        return True
    # 谢谢 / 海宁市许村镇塘南路3号: what the present message has by itself only seems to begin before it.
    alone = any(other.detector == candidate.detector for other in ordinary)
    return not alone and joined.says_little_else(place)


def cuts_latin(joined: Joined, tables: Tables) -> bool:
    """Whether one number or Latin word goes on across the seam, whatever stands between its pieces."""
    left = next((c for c in reversed(joined.text[: joined.seam]) if c.isalnum()), "")
    right = next((c for c in joined.text[joined.seam :] if c.isalnum()), "")
    sides = (left + right).translate(tables.fold).translate(tables.digits)
    return len(sides) == 2 and sides.isascii()
