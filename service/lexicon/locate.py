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


def locate(text: str, dotted: str) -> tuple[int, int]:
    """Line and column (from 1) of the value that msgspec calls `dotted`, such as `$.term[3].severity`.

    Falls back to the table's header, then to the first line, where the key itself is missing.
    """
    steps = [(name, int(index) if index else -1) for name, index in PATH_STEP.findall(dotted)]
    names = [name for name, _ in steps if name]
    indices = [index for name, index in steps if not name and index >= 0]
    lines = text.splitlines()
    first = 0
    if names and indices:
        header = re.compile(rf"\s*\[\[\s*{re.escape(names[0])}\s*\]\]")
        headers = [number for number, line in enumerate(lines) if header.match(line)]
        if indices[0] < len(headers):
            first = headers[indices[0]]
        names = names[1:]
    for name in reversed(names):
        assignment = re.compile(rf"\s*(\[.*)?\"?{re.escape(name)}\"?\s*(=|\])\s*")
        for number in range(first, len(lines)):
            if number > first and lines[number].lstrip().startswith("[["):
                break
            found = assignment.match(lines[number])
            if found:
                return number + 1, found.end() + 1
    return first + 1, 1
