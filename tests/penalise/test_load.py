"""Errors in ladder files, shown where they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import DataError
from service.penalise.load import load_ladder, load_ladders

GOOD = """scheme = "mine"
name = { zh-CN = "考核", en = "mine" }
by = "shop"

[[editions]]
id = "1"
source = "here"
valid_from = 2021-01-01
full = 10

[[editions.rules]]
id = "any"
points = 1

[[editions.consequences]]
id = "talk"
name = { en = "talk" }

[[editions.thresholds]]
at_most = 5
consequence = "talk"
"""


def load(folder: Path, text: str, name: str = "mine") -> None:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    load_ladder(path)


def test_a_good_one_is_taken(tmp_path: Path) -> None:
    load(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ('consequence = "talk"', 'consequence = "tlak"', 21, "there is no such consequence"),
        ("at_most = 5", "at_most = 10", 20, "a score under the full one"),
        ("full = 10", "", 20, "a score under the full one"),
        ("at_most = 5", "", 21, "either a score or points"),
        ("at_most = 5", "at_most = 5\nat_least = 5", 22, "either a score or points"),
        ('by = "shop"', 'by = "platform"', 3, "`platforms` belongs to a marketplace's ladder"),
        ('by = "shop"', 'by = "shop"\naccounts = []', 4, "nobody is charged"),
        ("full = 10", 'full = 10\nwindow = "days"', 6, "`days` is for"),
        ("points = 1", 'points = 1\ncategories = ["abuse"]\nevents = ["late"]', 12, "not for both"),
        ("points = 1", "points = 1\nsteps = [{ nth = 5 }, { nth = 3 }]", 12, "steps do not follow one another"),
        ('name = { en = "talk" }', 'name = { en = "talk" }\nlasts = "days"', 16, "`days` is for"),
        ('[[editions.consequences]]\nid = "talk"', ('[[editions.consequences]]\nid = "talk"\nname = {}\n'
         '[[editions.consequences]]\nid = "talk"'), 16, "used twice"),
        ("points = 1", "points = -1", 13, "Expected `int` >= 0"),
        ("points = 1", "pionts = 1", 13, "unknown field"),
        ("full = 10", "full = ", 9, "Invalid value"),
    ],
)  # fmt: skip
def test_shows_where_it_is_wrong(tmp_path: Path, before: str, after: str, line: int, words: str) -> None:
    assert before in GOOD
    with pytest.raises(DataError) as error:
        load(tmp_path, GOOD.replace(before, after))
    assert words in str(error.value)
    assert f"mine.toml:{line}:" in str(error.value)
    assert "^" in str(error.value)


def test_the_scheme_is_called_as_its_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rename the file to mine\.toml"):
        load(tmp_path, GOOD, "yours")


def test_editions_follow_one_another(tmp_path: Path) -> None:
    second = GOOD[GOOD.index("[[editions]]") :].replace('id = "1"', 'id = "2"')
    load(tmp_path, GOOD + second.replace("2021-01-01", "2022-01-01"))
    with pytest.raises(DataError, match="editions do not follow"):
        load(tmp_path, GOOD + second.replace("2021-01-01", "2020-01-01"))


def test_what_holds_for_all_must_be_whole(tmp_path: Path) -> None:
    (tmp_path / "penalties.toml").write_text('[due]\nblock = "at_once"\n', encoding="utf-8")
    with pytest.raises(DataError, match="says nothing of override, warn"):
        load_ladders(tmp_path)
