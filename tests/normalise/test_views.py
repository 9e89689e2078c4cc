from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lexicon.load import load_snapshot
from service.normalise.aligned import AlignedText
from service.normalise.views import (
    collapse_repeats,
    fold,
    make_views,
    read_homophones,
    read_repeats,
    read_splits,
    squeeze,
)
from service.settings import shipped_lexicons

TABLES = load_snapshot(shipped_lexicons()).tables

TRICKY = "微信加v高仿彳敚亻言ＷＥＩ徽髙ⓥ①⑩掃碼轉賬薇🐧🇨🇳👨‍👩‍👧\u200b\u0336\ufe0f\u20e3ﬁ㎏½ﷺİß\ue000\ud83d\x00 .\n。_1aA"
TEXTS = st.text(st.one_of(st.sampled_from(TRICKY), st.characters()), max_size=40)


def assert_aligned(view: AlignedText, original: str) -> None:
    """Spans lie in the original, in order, none of them empty."""
    spans = [view.span(index, index + 1) for index in range(len(view.text))]
    assert all(0 <= start < end <= len(original) for start, end in spans)
    assert spans == sorted(spans)


@given(TEXTS)
def test_every_view_is_aligned(text: str) -> None:
    views = make_views(text, TABLES)
    assert views.exact == text
    assert_aligned(views.folded, text)
    assert_aligned(views.squeezed, views.folded.text)
    assert views.squeezed.text == views.plain
    assert_aligned(read_splits(views.squeezed, TABLES), views.folded.text)
    repeated = read_repeats(views.squeezed)
    assert_aligned(repeated, views.folded.text)
    assert repeated.text == collapse_repeats(views.plain)
    assert_aligned(read_homophones(views.squeezed, TABLES), views.folded.text)


@given(TEXTS)
def test_a_folded_text_folds_to_itself(text: str) -> None:
    folded = fold(text, TABLES).text
    assert fold(folded, TABLES).text == folded


@given(TEXTS, st.data())
def test_a_text_folds_as_its_parts_do(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    assert fold(text, TABLES).text == fold(text[:cut], TABLES).text + fold(text[cut:], TABLES).text


@given(TEXTS)
def test_a_folded_character_is_in_the_fold_of_its_slice(text: str) -> None:
    view = fold(text, TABLES)
    for index, character in enumerate(view.text):
        start, end = view.span(index, index + 1)
        assert end == start + 1
        assert character in fold(text[start:end], TABLES).text


@given(st.text(st.characters(exclude_characters=[*TABLES.fold_many, "\x00"]), min_size=1, max_size=40), st.data())
def test_one_for_one_a_slice_of_the_fold_is_the_fold_of_the_slice(text: str, data: st.DataObject) -> None:
    view = fold(text, TABLES)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert view.starts is None
    assert view.text[start:end] == fold(text[slice(*view.span(start, end))], TABLES).text


@given(TEXTS)
def test_squeezing_drops_what_is_neither_letter_nor_digit_and_nothing_else(text: str) -> None:
    folded = fold(text, TABLES).text
    view = squeeze(AlignedText(folded))
    assert view.text == "".join(character for character in folded if character.isalnum())
    assert all(folded[slice(*view.span(i, i + 1))] == character for i, character in enumerate(view.text))
    assert squeeze(AlignedText(view.text)).text == view.text


@given(TEXTS)
def test_no_repeats_are_left_but_digits(text: str) -> None:
    view = squeeze(fold(text, TABLES))
    repeated = read_repeats(AlignedText(view.text))
    pairs = zip(repeated.text, repeated.text[1:], strict=False)
    assert all(a.isdecimal() for a, b in pairs if a == b)
    for index, character in enumerate(repeated.text):
        assert set(view.text[slice(*repeated.span(index, index + 1))]) == {character}


@given(TEXTS)
def test_a_syllable_symbol_stands_for_what_is_read_so(text: str) -> None:
    squeezed = squeeze(fold(text, TABLES)).text
    view = read_homophones(AlignedText(squeezed), TABLES)
    for index, symbol in enumerate(view.text):
        typed = squeezed[slice(*view.span(index, index + 1))]
        readings = {typed, TABLES.syllables.get(typed), TABLES.symbols.get(ord(typed)) if len(typed) == 1 else None}
        assert symbol in readings


@pytest.mark.parametrize(("typed", "folded"), [
    ("ＷｅｉＸｉｎ", "weixin"),                    # width and case
    ("１３８", "138"),
    ("ｶﾞ", "カ"),
    ("ⓥ🅥𝕥𝕠𝕡ᴠ", "vvtopv"),                      # enclosed and mathematical letters, small capitals
    ("①③⑧⑩㊷", "1381042"),                     # enclosed digits, several to one
    ("⒈❽⓿⁵₅", "18055"),
    ("㈠㊙", "一秘"),
    ("🇻🇽", "vx"),                                # regional indicators
    ("掃碼轉賬", "扫码转账"),                       # traditional
    ("衛星 臺灣 麵", "卫星 台湾 面"),
    ("微̶信̶", "微信"),                             # combining marks
    ("éÉ", "ee"),
    ("微\u200b信\u2060\ufeff\u00ad", "微信"),        # invisible
    ("1️⃣3️⃣8️⃣", "138"),                           # keycaps
    ("🔟", "10"),
    ("加🐧🛰", "加企鹅卫星"),                       # emoji that are read aloud
    ("➕v", "加v"),
    ("㎏ﬁ℡™ⅷ", "kgfiteltmviii"),                 # compatibility forms of several characters
    ("Ʀᶦ", "ri"),                                 # two steps: small capital, then letter
    ("ß", "ss"),
    ("\u3000\u00a0\u2028", "   "),                 # blanks
    ("\ud83d微", "\ufffd微"),                       # a lone surrogate must not reach what encodes
    ("\ue000", "\ufffd"),                          # nor may a typed private-use character pass for a syllable
    ("\x00", "\x00"),
    ("你好，在的！", "你好,在的!"),
    ("", ""),
])  # fmt: skip
def test_folding(typed: str, folded: str) -> None:
    assert fold(typed, TABLES).text == folded


@pytest.mark.parametrize(("typed", "part", "expected"), [
    ("加微\u200b信", "信", "信"),
    ("加微\u200b信", "微信", "微\u200b信"),
    ("加🐧号", "企鹅", "🐧"),
    ("加🐧号", "鹅", "🐧"),
    ("第⑩个", "10", "⑩"),
    ("1️⃣3️⃣8️⃣", "3", "3"),
    ("1️⃣3️⃣8️⃣", "13", "1️⃣3"),
    ("掃碼", "码", "碼"),
])  # fmt: skip
def test_a_folded_slice_leads_to_the_text_as_typed(typed: str, part: str, expected: str) -> None:
    view = fold(typed, TABLES)
    start = view.text.index(part)
    assert typed[slice(*view.span(start, start + len(part)))] == expected


@pytest.mark.parametrize(("typed", "squeezed"), [
    ("微.信", "微信"), ("微❤信", "微信"), ("微 · 信", "微信"), ("微_信", "微信"), ("微\n信", "微信"),
    ("1-3-8", "138"), ("、。！", ""), ("👨‍👩‍👧", ""),
])  # fmt: skip
def test_squeezing(typed: str, squeezed: str) -> None:
    assert make_views(typed, TABLES).squeezed.text == squeezed


@pytest.mark.parametrize(("typed", "read"), [
    ("加徽信", "加微信"), ("髙彷", "高仿"), ("νх", "vx"), ("薇信", "微信"), ("微信", "微信"), ("", ""),
])  # fmt: skip
def test_lookalikes(typed: str, read: str) -> None:
    assert squeeze(fold(typed, TABLES)).text.translate(TABLES.lookalikes) == read


@pytest.mark.parametrize(("typed", "read", "place", "expected"), [
    ("加彳敚亻言吧", "加微信吧", (1, 3), "彳敚亻言"),
    ("亻 言", "信", (0, 1), "亻 言"),
    ("力口我", "加我", (0, 1), "力口"),
    ("亻方", "仿", (0, 1), "亻方"),
])  # fmt: skip
def test_split_characters(typed: str, read: str, place: tuple[int, int], expected: str) -> None:
    view = read_splits(squeeze(fold(typed, TABLES)), TABLES)
    assert view.text == read
    assert typed[slice(*view.span(*place))] == expected


def test_nothing_is_split_in_ordinary_words() -> None:
    assert read_splits(AlignedText("女子木木您好"), TABLES).text == "女子木木您好"


@pytest.mark.parametrize(("typed", "read"), [
    ("微微信信", "微信"), ("加加加我", "加我"), ("vvxx", "vx"), ("138000", "138000"), ("微信", "微信"), ("", ""),
])  # fmt: skip
def test_repeats(typed: str, read: str) -> None:
    assert read_repeats(AlignedText(typed)).text == read


@pytest.mark.parametrize("typed", ["薇信", "威信", "weixin", "wei信", "微xin", "WEI·XIN", "微\u200b芯"])
def test_homophones_read_alike(typed: str) -> None:
    expected = read_homophones(AlignedText("微信"), TABLES).text
    assert read_homophones(squeeze(fold(typed, TABLES)), TABLES).text == expected


@pytest.mark.parametrize("typed", ["hello", "vx", "138", "\ue001\ue002"])
def test_what_spells_no_syllables_stays(typed: str) -> None:
    folded = squeeze(fold(typed, TABLES))
    assert read_homophones(folded, TABLES).text == folded.text


def test_the_longest_text_keeps_its_places() -> None:
    text = ("亲，加\u200b微.信①③⑧🐧" * 1000)[:10_000]
    views = make_views(text, TABLES)
    assert len(text) == 10_000
    place = views.squeezed.text.rindex("微信")
    inner = views.squeezed.span(place, place + 2)
    assert text[slice(*views.folded.span(*inner))] == "微.信"
