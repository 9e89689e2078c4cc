"""The pages of the documentation and what stands in them. Reads only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import service

ROOT = Path(service.__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced piece of code."""

    language: str
    """`bash` is run by a test; `sh` is for reading, but on an editor's pages."""
    text: str

    @property
    def file(self) -> str:
        """The file that its first line names, as in `# lexicons/terms/contact.toml`; empty for none."""
        first = self.text.partition("\n")[0]
        return first.removeprefix("# ") if re.fullmatch(r"# [\w/]+\.(toml|py)", first) else ""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str) -> list[Block]:
    """The fenced blocks of a page, without the indent that they share with their list item."""
    found = BLOCK.findall(read(name))
    return [Block(language, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)) for indent, language, text in found]


def rows(name: str) -> dict[str, list[str]]:
    """The table rows of a page: the code in the first cell -> all cells."""
    found = {}
    for line in read(name).splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for word in re.findall(r"`([^`]+)`", cells[0]) if cells else ():
            found[word] = cells
    return found


def anchors(name: str) -> set[str]:
    """The anchors of a page's headings, as hosts of repositories make them."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", read(name)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
