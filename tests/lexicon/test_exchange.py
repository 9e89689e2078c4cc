"""Whole lexicons as files: what is written is read as the same, and what is bad is refused with its line."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Malformed
from service.lexicon.exchange import Encoding, Format, WordDefaults, read_file, write_file
from service.lexicon.overlay import Content, version_of
from service.lexicon.sheet import FORMULA
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import ExceptionPhrase, Localized, Term

WORDS = WordDefaults("contact")
TEXT = st.text(st.characters(codec="gb18030", exclude_categories=("Cs", "Cc", "Co")), max_size=12)
ODD = TEXT | st.sampled_from(
    ["=1+1", "+V", "-", "@x", "'=x", "''", "a|b", '["x"]', "x,y", 'say "x"', "two\nlines", "＝x"]
)
WORD = ODD.filter(lambda word: bool(word.strip()))


@st.composite
def contents(draw: st.DrawFn) -> Content:
    names = draw(st.lists(st.integers(0, 99), max_size=4, unique=True))
    terms = [
        Term(
            id=f"contact/n{number}",
            pattern=draw(WORD),
            category="contact",
            severity=draw(st.sampled_from(["low", "high"])),
            match=draw(st.sampled_from(["word", "substring", "phrase"])),
            gap=draw(st.integers(0, 20)),
            disguises=tuple(draw(st.lists(st.sampled_from(["homophone", "split"]), unique=True))),
            with_=tuple(draw(st.lists(WORD, max_size=2))),
            except_=tuple(draw(st.lists(WORD, max_size=2))),
            reason=Localized(draw(ODD), draw(ODD)),
            hits=tuple(draw(st.lists(ODD, max_size=2))),
            source=draw(ODD),
            valid_from=draw(st.none() | st.just(date(2026, 1, 31))),
        )
        for number in names
    ]
    phrase = draw(WORD).strip().replace("/", "")
    entries = [ExceptionPhrase(phrase=phrase, categories=("contact",), passes=(draw(ODD),))] if phrase else []
    off = draw(st.lists(st.sampled_from(["abuse/a", "abuse/b"]), unique=True))
    return Content(terms=tuple(terms), exceptions=tuple(entries), terms_off=tuple(off))


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@given(content=contents())
def test_what_is_written_is_read_as_the_same_version(form: Format, encoding: Encoding, content: Content) -> None:
    reading = read_file(write_file(content, form, encoding), form, encoding, None)
    assert reading.refused == ()
    assert version_of(reading.content.canonical()) == version_of(content.canonical())


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_shipped_lexicon_goes_out_and_comes_back(form: Format, snapshot: Snapshot) -> None:
    terms = tuple(each for each in snapshot.terms if each.id.startswith(f"{each.category}/"))
    content = Content(terms=terms, exceptions=snapshot.exceptions)
    reading = read_file(write_file(content, form, "utf-8"), form, "auto", None)
    assert reading.refused == ()
    assert version_of(reading.content.canonical()) == version_of(content.canonical())


@given(content=contents())
def test_no_cell_is_a_formula(content: Content) -> None:
    text = write_file(content, "csv", "utf-8").decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text, newline="")):
        assert not any(cell.startswith(FORMULA[:-1]) for cell in row)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_of_words(encoding: str) -> None:
    reading = read_file("# ours\n蓝鸽号\n\n 绿鸽号 \r\n".encode(encoding), "words", "auto", WORDS)
    assert [(term.id, term.pattern, term.match) for term in reading.content.terms] == [
        ("contact/蓝鸽号", "蓝鸽号", "substring"),
        ("contact/绿鸽号", "绿鸽号", "substring"),
    ]
    assert write_file(reading.content, "words", "utf-8").decode().split() == ["绿鸽号", "蓝鸽号"]


HEAD = "id,pattern,category,severity\n"
GOOD = "contact/a,甲号,contact,high\n"


@pytest.mark.parametrize(
    ("form", "text", "line", "reason"),
    [
        ("csv", HEAD + GOOD + GOOD, 3, "stands in line 2 already"),
        ("csv", HEAD + "contact/b,=1+1,contact,high\n", 2, "formula"),
        ("csv", HEAD + "contact/b,@SUM(A1),contact,high\n", 2, "formula"),
        ("csv", HEAD + "contact/b,甲,contact,hgih\n", 2, "hgih"),
        ("csv", HEAD + "contact/b,甲,contact,high,more\n", 2, "5 cells"),
        ("csv", HEAD + f"contact/b,{'甲' * 40_000},contact,high\n", 2, "longer than"),
        ("csv", HEAD + f"contact/b,{'甲' * 200},contact,high\n", 2, "at most 128"),
        ("csv", HEAD + "abuse/b,甲,contact,high\n", 2, "should be contact/name"),
        ("csv", "gap,pattern\nx,甲\n", 2, "whole number"),
        ("csv", "state,id,pattern\noff,contact/a,甲\n", 2, "switched off"),
        ("csv", "kind,pattern\nword,甲\n", 2, "term or exception"),
        ("jsonl", "\n[]\n", 2, "object"),
        ("jsonl", '{"pattern": "甲"}\n', 1, "category"),
        ("jsonl", '{"pattern": "甲", "category": "contact", "severity": "high", "x": 1}\n', 1, "unknown field"),
        ("jsonl", '{"pattern": "a\\u0000b", "category": "contact", "severity": "high"}\n', 1, "control"),
        ("jsonl", '{"pattern": "\\ud800"}\n', 1, "JSON"),
        ("jsonl", '{"state": "off", "id": "contact/a\\u0000"}\n', 1, "should be category/name"),
        ("jsonl", '{"state": "off", "id": "contact/%s"}\n' % ("a" * 200), 1, "at most 128"),
        ("jsonl", '{"state": "off", "id": ""}\n', 1, "should be category/name"),
        ("jsonl", '{"state": "off", "kind": "exception", "phrase": " "}\n', 1, "phrase"),
        (
            "jsonl",
            '{"id": "contact/a\\n", "pattern": "甲", "category": "contact", "severity": "high"}\n',
            1,
            "should be contact/name",
        ),
        ("words", "好\n" + "甲" * 200 + "\n", 2, "at most 128"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(form: Format, text: str, line: int, reason: str) -> None:
    reading = read_file(text.encode(), form, "auto", WORDS)
    assert [each.line for each in reading.refused] == [line]
    assert reason in reading.refused[0].reason


@pytest.mark.parametrize(
    ("form", "data", "reason"),
    [
        ("csv", b"\xff\xfeh\x00", "UTF-16"),
        ("csv", "甲号\n".encode() + b"\xff\xff", "Line 2 is not in utf-8. Line 2 is not in gb18030"),
        ("words", "連絡先を教えて\n".encode("shift_jis"), "nothing that people write"),
        ("words", "微信號碼\n掃碼領取\n".encode("big5"), "not in utf-8"),
        ("words", b"a\x00b", "no text"),
        ("csv", "甲,乙\n".encode(), "unknown: 甲, 乙"),
        ("csv", b"id,id\n", "twice"),
        ("csv", b'id,pattern\na,"b\n', "no CSV"),
    ],
)
def test_a_file_that_cannot_be_read(form: Format, data: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        read_file(data, form, "auto", WORDS)


def test_words_need_a_category() -> None:
    assert "category" in read_file("甲号".encode(), "words", "auto", None).refused[0].reason


def test_wrong_encoding_is_named() -> None:
    with pytest.raises(Malformed, match="Line 2 is not in utf-8"):
        read_file(b"ok\n" + "蓝鸽号".encode("gb18030"), "words", "utf-8", WORDS)


def test_utf_8_is_not_taken_for_gb18030() -> None:
    with pytest.raises(Malformed, match="It is in utf-8"):
        read_file("加微信号码们\n".encode(), "words", "gb18030", WORDS)


def test_traditional_characters_are_taken_in_gb18030() -> None:
    assert read_file("掃碼領取\n轉賬付款\n".encode("gb18030"), "words", "auto", WORDS).lines == 2
