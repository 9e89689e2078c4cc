"""Which language an answer comes in."""

from __future__ import annotations

import pytest

from service.api.language import in_language, language_of
from service.lexicon.term import Localized


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh-CN"),
        ("en", "en"),
        ("en-US,en;q=0.9", "en"),
        ("zh-TW,en;q=0.9", "zh-CN"),
        ("zh;q=0.4, en;q=0.6", "en"),
        ("fr, en;q=0.1", "en"),
        ("fr, *", "zh-CN"),
        ("en;q=0", "zh-CN"),
        ("EN", "en"),
        ("en;q=x, zh", "zh-CN"),
        (";;,,q=", "zh-CN"),
    ],
)
def test_language_of(header: str, language: str) -> None:
    assert language_of(header.encode()) == language


def test_one_language_stands_in_for_the_other() -> None:
    assert in_language(Localized(zh_cn="好"), "en") == "好"
    assert in_language(Localized(en="good"), "zh-CN") == "good"
    assert in_language(Localized(zh_cn="好", en="good"), "en") == "good"
