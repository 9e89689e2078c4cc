from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lexicon.load import load_snapshot
from service.normalise.aligned import AlignedText
from service.normalise.syllables import LATIN_RUN, cut_syllables, read_syllables, spell_syllables
from service.settings import shipped_lexicons

SYLLABLES = load_snapshot(shipped_lexicons()).tables.syllables


@pytest.mark.parametrize(("letters", "expected"), [
    ("weixin", ["wei", "xin"]),
    ("weixinhao", ["wei", "xin", "hao"]),
    ("jiawo", ["jia", "wo"]),
    ("xian", ["xian"]),                # the fewest syllables, not xi an
    ("zhuang", ["zhuang"]),
    ("hello", []),
    ("weixinx", []),
    ("v", []),
    ("", []),
])  # fmt: skip
def test_cutting(letters: str, expected: list[str]) -> None:
    ends = cut_syllables(letters, SYLLABLES)
    assert [letters[start:end] for start, end in zip((0, *ends), ends, strict=False)] == expected


@given(st.lists(st.sampled_from(sorted(SYLLABLES)), min_size=1, max_size=4))
def test_what_is_made_of_syllables_can_be_cut_into_no_more(syllables: list[str]) -> None:
    letters = "".join(syllables)
    ends = cut_syllables(letters, SYLLABLES)
    assert 1 <= len(ends) <= len(syllables)
    assert ends[-1] == len(letters)
    assert all(letters[start:end] in SYLLABLES for start, end in zip((0, *ends), ends, strict=False))


@given(st.text(st.sampled_from("weixin hao加1zx"), max_size=30))
def test_only_whole_latin_runs_are_read(text: str) -> None:
    view = read_syllables(AlignedText(text), SYLLABLES)
    read = [text[slice(*view.span(i, i + 1))] for i in range(len(view.text)) if view.text[i] not in text]
    runs = [run for run in LATIN_RUN.findall(text) if cut_syllables(run, SYLLABLES)]
    assert "".join(read) == "".join(runs)


@given(st.text(alphabet="weixinjiawozhuang中信 1", max_size=60))
def test_spelling_is_the_text_of_reading(text: str) -> None:
    view = AlignedText(text)
    assert spell_syllables(text, SYLLABLES) == read_syllables(view, SYLLABLES).text
