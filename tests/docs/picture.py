"""Draws docs/images/check.svg from what the command really prints."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path

from typer.testing import CliRunner

from service.cli import app

FILE = Path(__file__).parents[2] / "docs" / "images" / "check.svg"
COMMANDS = [
    "shenyan check '亲，这款是高仿的，五星好评返现5元' --platform kuaishou",
    "shenyan check '有问题加 薇.信：abc123' --platform pinduoduo",
    "shenyan check '我们家不是高仿，请勿相信任何加微信的要求' --platform taobao --explain",
]
CELL, LINE, MARGIN = 8.4, 22, 16
"""In pixels: a column of the terminal, a line, the border."""
COLUMNS = 118
INK = {"": "#d8dee9", "command": "#79c0ff", "31": "#ff7b72", "32": "#7ee787", "33": "#e3b341"}
CODE = re.compile(r"\x1b\[(\d*)m")
FONTS = "ui-monospace,Menlo,Consolas,'Noto Sans Mono CJK SC','Noto Sans CJK SC','PingFang SC',monospace"


def draw() -> str:
    """The commands and what they print, as SVG."""
    lines: list[str] = []
    for command in COMMANDS:
        lines += [f"\x1b[commandm$ {command}\x1b[0m", *wrapped(run(command)), ""]
    lines.pop()
    width, height = round(COLUMNS * CELL + 2 * MARGIN), len(lines) * LINE + 2 * MARGIN
    rows = [row for number, line in enumerate(lines) for row in draw_line(line, MARGIN + LINE * (number + 0.7))]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{FONTS}" font-size="14" xml:space="preserve">\n'
        "<title>Three messages checked with the command shenyan</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>\n' + "".join(rows) + "</svg>\n"
    )


def run(command: str) -> str:
    """What the command prints, with terminal colours."""
    return CliRunner().invoke(app, shlex.split(command)[1:], color=True).output


def draw_line(line: str, y: float) -> Iterator[str]:
    """One element for each run of a colour and a width, at its column whatever the reader's fonts are."""
    column, bold, colour = 0, "", ""
    for index, piece in enumerate(re.split(r"\x1b\[(\w*)m", line)):
        if index % 2:
            bold, colour = (' font-weight="bold"', colour) if piece == "1" else ("", piece.removesuffix("0"))
            continue
        for run_cells, characters in groupby(piece, cells):
            text = "".join(characters)
            start, shown = column + run_cells * (len(text) - len(text.lstrip())), text.strip()
            column += run_cells * len(text)
            if shown:
                length = len(shown) * run_cells * CELL
                yield (
                    f'<text x="{MARGIN + start * CELL:.1f}" y="{y:.1f}" textLength="{length:.1f}" '
                    f'fill="{INK[colour]}"{bold}>{escape(shown, quote=False)}</text>\n'
                )


def wrapped(output: str) -> Iterator[str]:
    """Lines of at most COLUMNS cells, broken at blanks; only lines without colours are that long."""
    for line in output.rstrip("\n").split("\n"):
        rest = line
        while sum(map(cells, CODE.sub("", rest))) > COLUMNS:
            fitting = [place for place, c in enumerate(rest) if c == " " and sum(map(cells, rest[:place])) <= COLUMNS]
            yield rest[: fitting[-1]]
            rest = f"    {rest[fitting[-1] + 1 :]}"
        yield rest


def cells(character: str) -> int:
    """Columns of a terminal."""
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
