"""Where in a TOML file a value stands, so that an error can show the line with a caret. Reads text; knows no schema."""

from __future__ import annotations

import re
from pathlib import Path

from service.errors import DataError

PATH_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\[\.\.\.\]")


def data_error(path: Path, text: str, line: int, column: int, problem: str, hint: str = "") -> DataError:
    """An error for people who write lexicons: file, line and column (both from 1), the line, a caret, a hint."""
    lines = text.splitlines() or [""]
    shown = lines[min(max(line, 1), len(lines)) - 1]
    # Full-width characters take two columns in a terminal, so the caret's indent repeats the line's own widths.
    indent = "".join("\u3000" if ord(c) > 0x2E7F else " " for c in shown[: column - 1])
    note = f"\nhint: {hint}" if hint else ""
    return DataError(f"{path}:{line}:{column}: {problem}\n  {shown}\n  {indent}^{note}")


def locate(text: str, dotted: str, *, key: bool = False) -> tuple[int, int]:
    """Line and column (from 1) of the value that msgspec calls `dotted`, such as `$.term[3].severity`, or of its `key`.

    Falls back to [defaults], then to the table's header, then to the first line, where the key itself is missing.
    """
    lines = text.splitlines()
    first, end, table, names = 0, len(lines), "", list[str]()
    for name, index in PATH_STEP.findall(dotted):
        if name:
            names.append(name)
            continue
        table = ".".join(filter(None, [table, *names]))
        headers = [n for n in range(first, end) if re.match(rf"\s*\[\[\s*{re.escape(table)}\s*\]\]", lines[n])]
        if not index or int(index) >= len(headers):
            break
        first, end = [*headers, end][int(index) : int(index) + 2]
        names = []
    inner = (n for n in range(first + 1, end) if lines[n].lstrip().startswith("[["))
    stop = next(inner, end) if lines[first : first + 1] and lines[first].lstrip().startswith("[[") else end
    defaults = next((n for n in range(first) if lines[n].strip() == "[defaults]"), first)
    for name in reversed(names):
        pattern = re.compile(rf'\s*(?:\[.*?)?"?(?P<key>{re.escape(name)})"?\s*(?:=|\])\s*')
        for number in (*range(first, stop), *range(defaults, first)):
            found = pattern.match(lines[number])
            if found:
                return number + 1, (found.start("key") if key else found.end()) + 1
    return first + 1, 1


def locate_word(text: str, word: str, line: int) -> tuple[int, int] | None:
    """Line and column of `word` as a string or a table's name, the nearest from `line` on, else the first; None for nowhere."""
    pattern = re.compile(rf'"(?={re.escape(word)}")|(?<=\[){re.escape(word)}(?=\])|^{re.escape(word)}(?=\s*=)')
    places = [
        (number, found.start() + 1) for number, row in enumerate(text.splitlines(), 1) if (found := pattern.search(row))
    ]
    return min(places, key=lambda place: (place[0] < line, place[0]), default=None)
