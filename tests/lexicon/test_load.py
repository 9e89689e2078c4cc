"""A lexicon with an error is refused with file, line, column, the line itself, a caret under the place, and a hint."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from service.engine import Engine
from service.errors import DataError
from service.lexicon.load import load_corpus, load_snapshot, load_terms
from service.settings import shipped_lexicons

TERMS = """\
category = "abuse"

[defaults]
severity = "high"
disguises = ["homophone"]
reason = { zh-CN = "不可以", en = "not allowed" }

[[term]]
id = "abuse/one"
pattern = "一号"
hits = ["一号"]

[[term]]
id = "abuse/two"
pattern = "二号 三号"
match = "phrase"
gap = 3
hits = ["二号和三号"]
"""


def refusal(text: str, folder: Path) -> DataError:
    path = folder / "made_up.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_terms(path)
    return caught.value


def place(error: DataError) -> tuple[str, str]:
    """The shown line, and what the caret points at; both checked against line and column that the message names."""
    first, shown, caret, hint = str(error).split("\n")
    file, line, column, _ = first.split(":", 3)
    source = Path(file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    assert shown == f"  {source}"
    assert caret.strip() == "^"
    assert len(caret) - 3 == int(column) - 1
    assert hint.startswith("hint: ")
    return source, source[int(column) - 1 :]


@pytest.mark.parametrize(("good", "bad", "line", "at", "problem", "hint"), [
    ('severity = "high"', "severity = high", "severity = high", "high", "Invalid value", "double quotes"),
    ('hits = ["一号"]', 'hits = ["一号"', "[[term]]", "", "Unclosed array", "lists in [ ]"),
    ('pattern = "一号"', 'patern = "一号"', 'patern = "一号"', "patern", "unknown field `patern`", "spelling"),
    ("gap = 3", "gapp = 3", "gapp = 3", "gapp", "unknown field `gapp`", "spelling"),
    ("[defaults]", "[default]", "[default]", "default]", "unknown field `default`", "spelling"),
    ('severity = "high"', 'severity = "hihg"', 'severity = "hihg"', '"hihg"', "Invalid enum value 'hihg'", "words"),
    ('match = "phrase"', 'match = "words"', 'match = "words"', '"words"', "Invalid enum value 'words'", "words"),
    ('category = "abuse"', 'category = "rude"', 'category = "rude"', '"rude"', "Invalid enum value 'rude'", "words"),
    ('["homophone"]', '["homophone", "spilt"]', 'disguises = ["homophone", "spilt"]', '"spilt"]', "'spilt'", "words"),
    ("gap = 3", 'gap = "3"', 'gap = "3"', '"3"', "Expected `int`, got `str`", "type"),
    ('hits = ["一号"]', 'hits = "一号"', 'hits = "一号"', '"一号"', "Expected `array`, got `str`", "type"),
    ('hits = ["一号"]', 'hits = ["一号", 1]', 'hits = ["一号", 1]', '["一号", 1]', "Expected `str`, got `int`", "type"),
    ('id = "abuse/two"\n', "", "[[term]]", "[[term]]", "missing required field `id`", "[defaults]"),
    ('severity = "high"\n', "", "[[term]]", "[[term]]", "missing required field `severity`", "[defaults]"),
    ("gap = 3", 'valid_from = "soon"', 'valid_from = "soon"', '"soon"', "RFC3339", "2026-01-31"),
])  # fmt: skip
def test_errors_have_a_place_and_a_hint(
    tmp_path: Path, good: str, bad: str, line: str, at: str, problem: str, hint: str
) -> None:
    assert good in TERMS
    error = refusal(TERMS.replace(good, bad, 1), tmp_path)
    shown, pointed = place(error)
    assert (shown, pointed[: len(at)]) == (line, at)
    assert problem in str(error)
    assert hint in str(error).rpartition("hint: ")[2]


def test_an_id_stands_for_one_term(lexicons: Path) -> None:
    (lexicons / "terms" / "made_up.toml").write_text(TERMS.replace("abuse/two", "abuse/one"), encoding="utf-8")
    with pytest.raises(DataError, match="another term has the id abuse/one") as caught:
        load_snapshot(lexicons)
    assert place(caught.value) == ('id = "abuse/one"', '"abuse/one"')
    assert str(caught.value).startswith(f"{lexicons / 'terms' / 'made_up.toml'}:14:")


def test_the_made_up_terms_are_good(tmp_path: Path) -> None:
    path = tmp_path / "made_up.toml"
    path.write_text(TERMS, encoding="utf-8")
    one, two = load_terms(path)
    assert (one.id, one.severity, one.match, one.gap) == ("abuse/one", "high", "word", 6)
    assert (two.category, two.disguises, two.gap) == ("abuse", ("homophone",), 3)


def test_the_caret_stands_under_its_place_behind_wide_characters(tmp_path: Path) -> None:
    error = refusal(TERMS.replace('zh-CN = "不可以", en = "not allowed"', 'zh-CN = "不可以", en = nothing'), tmp_path)
    caret = str(error).split("\n")[2]
    assert caret.count("\u3000") == len("不可以")


@pytest.fixture
def lexicons(tmp_path: Path) -> Path:
    """The shipped files, of the terms just one, to be spoilt."""
    folder = Path(shutil.copytree(shipped_lexicons(), tmp_path / "lexicons"))
    for path in (folder / "terms").iterdir():
        if path.name != "contact.toml":
            path.unlink()
    return folder


@pytest.mark.parametrize(("file", "good", "bad", "problem"), [
    ("platforms/kuaishou.toml", 'high = "block"', 'high = "blok"', "Invalid enum value 'blok'"),
    ("platforms/kuaishou.toml", '"*" = { low = "allow", ', '"*" = { ', 'no action for low in the row "*"'),
    ("platforms/kuaishou.toml", "valid_from = 2021-09-01", "", "missing required field `valid_from`"),
    ("platforms/kuaishou.toml", "number = ", "numero = ", "unknown field `numero`"),
    ("platforms/kuaishou.toml", "[[policies]]", "[[policie]]", "unknown field `policie`"),
    ("categories.toml", "[counterfeit]", "[counterfait]", "Invalid enum value 'counterfait'"),
    ("contexts.toml", 'effect = "lower"', 'effect = "lowr"', "Invalid enum value 'lowr'"),
    ("exceptions.toml", "phrase = ", "phrases = ", "unknown field `phrases`"),
    ("detectors/phones.toml", 'severity = "high"', 'severity = "hgh"', "Invalid enum value 'hgh'"),
    ("detectors/phones.toml", 'severity = "medium"', 'severity = "mid"', "Invalid enum value 'mid'"),
])  # fmt: skip
def test_every_kind_of_file_is_checked(lexicons: Path, file: str, good: str, bad: str, problem: str) -> None:
    path = lexicons / file
    text = path.read_text(encoding="utf-8")
    assert good in text
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_snapshot(lexicons)
    assert str(caught.value).startswith(f"{path}:")
    assert problem in str(caught.value)
    place(caught.value)


@pytest.mark.parametrize(("file", "good", "bad", "problem"), [
    ("contexts.toml", 'before = "(?:', 'before = "(?:(', "denial: `before`: RE2 refuses the pattern: missing )"),
    ("contexts.toml", 'before = "(?:', 'before = "(?=', "denial: `before`: RE2 refuses the pattern"),
    ("terms/contact.toml", 'pattern = "加微信"', 'pattern = "。"', "contact/jia-weixin: '。' has a part without letter"),
    ("exceptions.toml", 'phrase = "稍微信任"', 'phrase = "。"', "exceptions.toml: '。' has neither letter nor digit"),
    ("detectors/phones.toml", "phone_near =", "phone_far =", "phones.toml: there is no 'phone_near'"),
    ("detectors/accounts.toml", "wechat = [", "wechat = [3, ", "accounts.toml: "),
])  # fmt: skip
def test_what_cannot_be_compiled_is_named(lexicons: Path, file: str, good: str, bad: str, problem: str) -> None:
    path = lexicons / file
    text = path.read_text(encoding="utf-8")
    assert good in text
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        Engine.compile(load_snapshot(lexicons))
    assert problem in str(caught.value)
    if file == "contexts.toml":
        line = next(number for number, row in enumerate(text.splitlines(), 1) if row.startswith(good))
        assert str(caught.value).startswith(f"{path}:{line}:10: ")


@pytest.mark.parametrize(("missing", "problem"), [
    ("categories.toml", "no such file"),
    ("exceptions.toml", "no such file"),
    ("contexts.toml", "no such file"),
    ("platforms/jd.toml", "no rules for jd"),
    ("tables/fold.json", "restore the shipped tables"),
    ("tables/splits.toml", "restore the shipped tables"),
    ("tables/sound_support.toml", "no such file"),
    ("terms", "no lexicon here"),
])  # fmt: skip
def test_a_missing_file_is_named(lexicons: Path, missing: str, problem: str) -> None:
    path = lexicons / missing
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    with pytest.raises(DataError, match=problem):
        load_snapshot(lexicons)


def test_a_missing_category_is_named(lexicons: Path) -> None:
    path = lexicons / "categories.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("[misuse]")], encoding="utf-8")
    with pytest.raises(DataError, match=r"no words for misuse; add a table each"):
        load_snapshot(lexicons)


def test_a_file_in_another_encoding_is_named(lexicons: Path) -> None:
    (lexicons / "exceptions.toml").write_bytes('phrase = "微信"'.encode("gb18030"))
    with pytest.raises(DataError, match=r"exceptions\.toml: .*save it as UTF-8"):
        load_snapshot(lexicons)


@pytest.mark.parametrize(("file", "text"), [
    ("emoji.toml", '[words]\n"两个" = "双"\n'), ("digits.toml", "[words]\n1 = 1\n"), ("splits.toml", "parts = 1\n"),
    ("fold.json", "[]"), ("syllables.json", "{"),
])  # fmt: skip
def test_a_spoilt_table_is_named(lexicons: Path, file: str, text: str) -> None:
    (lexicons / "tables" / file).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="restore the shipped tables"):
        load_snapshot(lexicons)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no lexicon here"):
        load_snapshot(tmp_path / "nowhere")


def test_policies_stand_oldest_first(lexicons: Path) -> None:
    path = lexicons / "platforms" / "jd.toml"
    text = path.read_text(encoding="utf-8")
    policy = text[text.index("[[policies]]") :]
    path.write_text(f"{text}\n{policy}", encoding="utf-8")
    with pytest.raises(DataError, match="not later than the policy before it"):
        load_snapshot(lexicons)


def test_the_corpus_is_lines_without_comments(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("# from nowhere\n您好 \n\n在的\n", encoding="utf-8")
    assert load_corpus(tmp_path) == ("您好", "在的")
