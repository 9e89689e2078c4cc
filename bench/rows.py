"""Labelled messages in JSONL files. Each error names file and line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.report import BenchError
from service.vocabulary import Channel, Platform


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One message. Fields that are not named here are left alone."""

    text: str | None = None
    label: int | str | None
    """1 must be flagged, 0 must pass, anything else is only reported."""
    category: str
    platform: Platform | None = None
    channel: Channel = "chat"
    file: str | None = None
    """A picture, by its path from the JSONL file's folder; then the message has no text."""
    disguise: str = ""
    """How the text is dressed up, where it is."""
    expected: tuple[str, ...] | None = None
    """What must be found, no more and no less."""


DECODER = msgspec.json.Decoder(Row)


def find_files(paths: Sequence[Path]) -> list[Path]:
    """The files that are meant: a folder means every `*.jsonl` in it. Raises BenchError for what is not there."""
    found = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob("*.jsonl"))
            if not inside:
                raise BenchError(f"{path}: no *.jsonl in this folder")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise BenchError(f"{path}: no such file or folder")
    return found


def read_rows(path: Path) -> list[Row]:
    """The rows of one file; empty lines are skipped. Raises BenchError with file and line."""
    rows = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BenchError(f"{path}:{number}: {error}") from None
        if row.text is None and row.file is None:
            raise BenchError(f"{path}:{number}: needs `text` or `file`")
        if row.file is not None and not (path.parent / row.file).is_file():
            raise BenchError(f"{path}:{number}: {row.file}: no such picture beside the file")
        rows.append(row)
    if not rows:
        raise BenchError(f"{path}: no rows in it")
    return rows
