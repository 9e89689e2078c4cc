"""Tables for spreadsheets: CSV (RFC 4180) in UTF-8, which no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

CSV = "text/csv"
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of a formula."""
# By this mark spreadsheets know that the file is in UTF-8.
MARK = "\ufeff"


def csv_wanted(request: Request) -> bool:
    """Whether `Accept` prefers text/csv to JSON."""
    weights = {"text/csv": 0.0, "application/json": 0.0}
    for wish in request.headers.get("accept", "").lower().split(","):
        kind, *parameters = (part.strip() for part in wish.split(";"))
        if kind in weights:
            quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
            try:
                weights[kind] = float(quality)
            except ValueError:
                continue
    return weights["text/csv"] > weights["application/json"]


WantsCsv = Annotated[bool, Depends(csv_wanted)]
"""As a parameter of a route."""


def sheet_response(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """The table as a file called `name`.csv."""
    text = io.StringIO()
    text.write(MARK)
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Vary": "Accept"}
    return Response(text.getvalue(), headers=headers, media_type=f"{CSV}; charset=utf-8")


def cell(value: Any) -> Any:
    """The value as it may stand in a cell; words that look like a formula get an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return f"'{value}" if value.startswith(RISKY) else value
    return value


def as_sheet(description: str) -> dict[int | str, dict[str, Any]]:
    """Declares that an answer also comes as CSV."""
    return {200: {"description": description, "content": {CSV: {"schema": {"type": "string"}}}}}
