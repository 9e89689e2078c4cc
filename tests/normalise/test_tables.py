"""Every entry of the hand-written tables can be reached: what folding changes first never arrives at a later step."""

from __future__ import annotations

import pytest

from service.lexicon.load import load_snapshot
from service.normalise.aligned import AlignedText
from service.normalise.views import fold, read_splits
from service.settings import shipped_lexicons

TABLES = load_snapshot(shipped_lexicons()).tables


def test_lookalikes_arrive_as_what_they_are_taken_for() -> None:
    read = {typed: fold(typed, TABLES).text.translate(TABLES.lookalikes) for typed in TABLES.lookalikes_typed}
    plain = {chr(code): plain for code, plain in TABLES.lookalikes.items()}
    assert {typed: read[typed] for typed in read if read[typed] != plain[typed]} == {}


def test_what_a_character_is_taken_for_is_taken_for_nothing_else() -> None:
    assert set(TABLES.lookalikes.values()).isdisjoint(TABLES.lookalikes_typed)


def test_digit_words_arrive_as_they_are() -> None:
    assert {chr(code) for code in TABLES.digits if fold(chr(code), TABLES).text != chr(code)} == set()
    assert set(TABLES.digits.values()) == set("0123456789")


@pytest.mark.parametrize(("parts", "whole"), sorted(TABLES.split_whole.items()))
def test_split_characters_are_put_together(parts: str, whole: str) -> None:
    assert fold(parts, TABLES).text == parts
    assert read_splits(AlignedText(f"前{parts}后"), TABLES).text == f"前{whole}后"


def test_words_of_emoji_are_folded_already() -> None:
    assert {text for text in TABLES.fold_many.values() if fold(text, TABLES).text != text} == set()


def test_each_syllable_has_a_symbol_of_its_own() -> None:
    assert len(set(TABLES.syllables.values())) == len(TABLES.syllables)
    assert set(TABLES.symbols.values()) <= set(TABLES.syllables.values())
    assert all("\ue000" <= symbol < "\uf900" for symbol in TABLES.syllables.values())
