"""When two places of a text are the same case: the same words amid the same words. A message may say a thing a thousand times."""

from __future__ import annotations

REACH = 24
"""Characters on either side that any check looks at; `verify` looks no further."""


def surroundings_key(text: str, start: int, end: int) -> tuple[int, int, str]:
    """Equal for two places of folded `text` whose surroundings, and so all checks' outcomes, are equal."""
    first = max(0, start - REACH)
    return start - first, end - start, text[first : end + REACH]
