"""A text that knows, for each of its characters, which part of another text it stands for.

Takes and gives plain strings and offsets; knows nothing of rules. Views are immutable and made by the steps beside this
file, each of which states in one line how it maps characters.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from service.text.span import Span


class AlignedText(msgspec.Struct, frozen=True):
    """`text[i]` stands for `original[starts[i]:ends[i]]`; without offsets it stands for `original[i]`."""

    text: str
    starts: Sequence[int] | None = None
    """Per character, where its source begins; ascending. None: the offsets are the identity."""
    ends: Sequence[int] | None = None
    """Per character, where its source ends; ascending. None exactly when `starts` is."""

    def span(self, start: int, end: int) -> Span:
        """The place in the original that the non-empty `text[start:end]` stands for."""
        return Span(self.start(start), self.end(end))

    def start(self, start: int) -> int:
        """Where the source of `text[start]` begins."""
        return start if self.starts is None else self.starts[start]

    def end(self, end: int) -> int:
        """Where the source of `text[end - 1]` ends."""
        return end if self.ends is None else self.ends[end - 1]

    def keep(self, indices: Sequence[int], text: str) -> AlignedText:
        """The view that has only the characters at `indices`, which spell `text`."""
        if self.starts is None or self.ends is None:
            return AlignedText(text, indices, [index + 1 for index in indices])
        return AlignedText(text, [self.starts[i] for i in indices], [self.ends[i] for i in indices])

    def retext(self, text: str) -> AlignedText:
        """The same places under other characters, one for one."""
        if len(text) != len(self.text):
            raise ValueError("retext keeps the length; use expand for steps that do not")
        return AlignedText(text, self.starts, self.ends)

    def expand(self, pieces: Sequence[tuple[str, int, int]]) -> AlignedText:
        """A view made of (characters, start, end): each character stands for `self.text[start:end]`."""
        text, starts, ends = [], [], []
        for characters, start, end in pieces:
            if not characters:
                continue
            place = self.span(start, end)
            text.append(characters)
            starts += [place.start] * len(characters)
            ends += [place.end] * len(characters)
        return AlignedText("".join(text), starts, ends)
