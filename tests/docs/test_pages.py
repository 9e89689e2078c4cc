"""Every link leads somewhere, both languages show the same, and the picture shows what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service import cli
from service.engine import Engine
from service.lexicon.snapshot import Snapshot
from service.live import Live
from tests.docs.pages import PAGES, ROOT, anchors, blocks, name_of, read
from tests.docs.picture import FILE, draw

LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            shown = target if target.suffix == ".md" else ROOT / "docs" / "index.md"
            assert anchor in anchors(name_of(shown)), link


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=name_of)
def test_the_index_names_every_page(page: Path) -> None:
    if page.name != "index.md":
        assert f"({page.relative_to(ROOT / 'docs').as_posix()})" in read("docs/index.md")


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=name_of)
def test_a_decision_has_its_parts_in_order(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {page.name[:4]}: \S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]


def test_both_languages_show_the_same() -> None:
    """Headings, blocks and links agree; the words, and the comments in the code, are each language's own."""
    ours, theirs = read("README.md"), read("README.zh-CN.md")
    assert [line.count("#") for line in re.findall(r"^#+(?= )", ours, re.MULTILINE)] == [
        line.count("#") for line in re.findall(r"^#+(?= )", theirs, re.MULTILINE)
    ]
    for left, right in zip(blocks("README.md"), blocks("README.zh-CN.md"), strict=True):
        assert left.language == right.language
        assert left.text.count("\n") == right.text.count("\n")
        assert [line for line in left.text.splitlines() if line.startswith("curl")] == [
            line for line in right.text.splitlines() if line.startswith("curl")
        ]
    assert set(LINK.findall(ours)) - {"README.zh-CN.md"} == set(LINK.findall(theirs)) - {"README.md"}


def test_the_picture_is_what_the_command_prints(
    engine: Engine, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The command compiles the lexicon each time; the engine is the same.
    monkeypatch.setattr(cli, "load_live", lambda *_: Live(engine, snapshot))
    assert FILE.read_text(encoding="utf-8") == draw(), "draw it anew with python -m tests.docs.rewrite"
