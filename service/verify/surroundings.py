"""What stands around a candidate, in the folded text and within its sentence. Reads only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.match.candidate import Candidate
from service.match.repeats import REACH

SENTENCE_END = re.compile("[。！？!?\n;；]")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A candidate with its neighbourhood."""

    surface: str
    """The candidate itself, folded."""
    before: str
    """Up to 24 characters before it, of the same sentence."""
    after: str
    """Up to 24 characters after it, of the same sentence."""

    @property
    def near(self) -> str:
        """Both sides and the candidate."""
        return f"{self.before}{self.surface}{self.after}"


def look_around(candidate: Candidate, text: str) -> Surroundings:
    """The surroundings of `candidate` in the folded `text`."""
    start, end = candidate.parts[0].start, candidate.parts[-1].end
    before, after = text[max(0, start - REACH) : start], text[end : end + REACH]
    cuts = [found.end() for found in SENTENCE_END.finditer(before)]
    stop = SENTENCE_END.search(after)
    return Surroundings(text[start:end], before[cuts[-1] if cuts else 0 :], after[: stop.start()] if stop else after)


def ends_with_any(text: str, words: tuple[str, ...], slack: int = 3) -> str:
    """Which of `words` stands at the end of `text`, with at most `slack` characters after it; empty for none."""
    return next((word for word in words if word in text[-len(word) - slack :]), "")


def starts_with_any(text: str, words: tuple[str, ...], slack: int = 2) -> str:
    """Which of `words` stands at the start of `text`, with at most `slack` characters before it; empty for none."""
    return next((word for word in words if word in text[: len(word) + slack]), "")


def contains_any(text: str, words: tuple[str, ...]) -> str:
    """Which of `words` is in `text`; empty for none."""
    return next((word for word in words if word in text), "")
