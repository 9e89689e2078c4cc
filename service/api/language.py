"""Which of the two languages an answer is given in."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from service.lexicon.term import Localized

Language = Literal["zh-CN", "en"]


@lru_cache(maxsize=1024)
def language_of(accept_language: bytes) -> Language:
    """Chinese unless the header prefers English; what can't be read counts as no wish."""
    best: Language = "zh-CN"
    weight = 0.0
    for wish in accept_language.decode("latin-1").lower().split(","):
        tag, _, parameter = wish.strip().partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        primary = tag.strip().partition("-")[0]
        if primary in ("zh", "en") and quality > weight:
            best, weight = ("en" if primary == "en" else "zh-CN"), quality
    return best


def in_language(words: Localized, language: Language) -> str:
    """The sentence in that language, in the other one where it has only that."""
    return (words.en or words.zh_cn) if language == "en" else (words.zh_cn or words.en)
