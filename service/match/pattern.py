"""Regular expressions for detectors and contexts: linear-time (RE2), small, and quiet.

Unicode classes such as \\p{L} become tens of thousands of instructions when they are repeated, so patterns use the plain ranges
below, on readings in which everything that is neither ASCII nor a letter is one noise character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

import re2

HAN = r"\x{3400}-\x{9fff}"
"""For use inside a class. Rarer planes play no part in numbers, links and addresses."""
LETTERS = r"a-z0-9\x{c0}-\x{1fff}\x{3040}-\x{9fff}\x{ac00}-\x{d7ff}"
"""Letters and digits of a host name in folded text, for use inside a class."""
GAP = r"[\x00-\x09\x0b-/:-@\[-`{-\x7f]"
"""One character that is no letter, digit or line break, in a reading made by `show_noise`."""

NOT_ASCII_NOISE = re.compile(r"[^\w\x00-\x7f]")


class Match(Protocol):
    """What we use of a match."""

    def start(self, group: int = 0) -> int: ...
    def end(self, group: int = 0) -> int: ...
    def span(self, group: int = 0) -> tuple[int, int]: ...
    def group(self, group: int = 0) -> str: ...


class Pattern(Protocol):
    """What we use of a compiled pattern."""

    def search(self, text: str) -> Match | None: ...
    def match(self, text: str) -> Match | None: ...
    def finditer(self, text: str) -> Iterator[Match]: ...


def compile_probe(patterns: Iterable[str]) -> Pattern:
    """Where any of `patterns` matches: one pass in the place of many, since most texts have nothing for any of them."""
    return compile_pattern("|".join(f"(?:{pattern})" for pattern in patterns), captures=False)


def compile_pattern(pattern: str, *, captures: bool = True) -> Pattern:
    """Raises ValueError with the library's words for what RE2 does not accept (look-around, back-references)."""
    options = re2.Options()
    options.log_errors = False
    options.never_capture = not captures
    options.max_mem = 64 << 20
    try:
        compiled: Pattern = re2.compile(pattern, options)
    except re2.error as error:
        # The library hands over bytes: what is wrong, then where, which may be the whole pattern again.
        words = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(
            f"RE2 refuses the pattern: {words if len(words) < 80 else words.partition(': ')[0]}"
        ) from error
    return compiled


def any_of(words: Iterable[str]) -> str:
    """A group that matches any of `words`, longest first."""
    return "(?:" + "|".join(re2.escape(word) for word in sorted(words, key=len, reverse=True)) + ")"


def show_noise(text: str) -> str:
    """`text` with every character beyond ASCII that is neither letter nor digit as \\x01, one for one."""
    return NOT_ASCII_NOISE.sub("\x01", text)
