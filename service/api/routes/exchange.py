"""`/v1/lexicons/{name}/import` and `.../export`: a whole draft as a file."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from service.api.parameters import AuditReason, errors, known_query
from service.api.routes.lexicons import Editor, LexiconName, refuse_shipped
from service.api.state import ServiceState
from service.errors import BadRequest, Malformed, Problem, UnsupportedMedia
from service.lexicon.exchange import Encoding, Format, WordDefaults, read_file, write_file
from service.lexicon.overlay import version_of
from service.record.audit import add_entry
from service.record.drafts import Author, import_content, read_content
from service.record.lexicons import get_lexicon
from service.vocabulary import Category, Severity

router = APIRouter(prefix="/v1/lexicons/{name}", tags=["lexicons"], dependencies=[Depends(known_query)])

MAX_SHOWN = 200
"""Refused lines that an answer names."""
TYPES: dict[Format, str] = {
    "csv": "text/csv; charset={}",
    "jsonl": "application/x-ndjson; charset={}",
    "words": "text/plain; charset={}",
}
FILES = {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in TYPES.values()}
ACCEPTED = {"", "application/octet-stream", *FILES}
"""A file that is sent without its kind is read as `format` says."""
FormatQuery = Annotated[Format, Query(alias="format", description="words: one a line.")]


class RefusedLine(BaseModel):
    """A line that was not taken."""

    line: int
    reason: str


class Imported(BaseModel):
    """What became of a file."""

    lines: int
    taken: int
    revision: int = Field(description="Of the draft, with all that was taken.")
    refused: list[RefusedLine]
    refused_count: int


@router.post(
    "/import",
    responses=errors(400, 404, 409, 413, 415),
    openapi_extra={"requestBody": {"required": True, "content": FILES}},
    summary="Take a file into the draft",
)
async def take(
    request: Request,
    state: ServiceState,
    editor: Editor,
    name: LexiconName,
    reason: AuditReason,
    form: FormatQuery = "csv",
    encoding: Annotated[Encoding, Query(description="auto: UTF-8, else GB18030.")] = "auto",
    mode: Annotated[
        Literal["merge", "replace"], Query(description="replace: what the file does not have goes out of the draft.")
    ] = "merge",
    partial_: Annotated[
        bool, Query(alias="partial", description="Take what can be taken; else it is all or nothing.")
    ] = False,
    category: Annotated[Category | None, Query(description="Of every word of a list.")] = None,
    severity: Annotated[Severity, Query(description="Of every word of a list.")] = "medium",
    match: Annotated[Literal["word", "substring"], Query(description="Of every word of a list.")] = "substring",
) -> Imported:
    """Every refused line is named with its number and the reason. The shape of a file is that of the export."""
    refuse_shipped(name)
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared not in ACCEPTED:
        raise UnsupportedMedia(f"Send the file as one of {', '.join(FILES)}.")
    data = await request.body()
    if not data.strip():
        raise BadRequest("The body is empty; send the file as it is.")
    defaults = WordDefaults(category, severity, match) if category else None
    reading = await asyncio.to_thread(read_file, data, form, encoding, defaults)
    refused = [RefusedLine(line=each.line, reason=each.reason) for each in reading.refused]
    if refused and not partial_:
        problems = [Problem("", f"line {each.line}: {each.reason}") for each in refused[:MAX_SHOWN]]
        raise Malformed(
            f"{len(refused)} of {reading.lines} lines can't be taken, so none was; mend them, or add ?partial=true",
            problems=problems,
        )
    now = state["clock"].now()
    taken = reading.lines - len(refused)
    async with state["database"].write() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        author = Author(editor.id, now, reason)
        revision = await import_content(connection, lexicon, reading.content, author, replace=mode == "replace")
        await add_entry(
            connection,
            editor.tenant_id,
            editor.id,
            now,
            "lexicon.import",
            name,
            before={"revision": lexicon.revision},
            after={"revision": revision, "taken": taken, "refused": len(refused), "mode": mode},
            reason=reason,
        )
    return Imported(
        lines=reading.lines,
        taken=taken,
        revision=revision,
        refused=refused[:MAX_SHOWN],
        refused_count=len(refused),
    )


@router.get(
    "/export",
    response_class=Response,
    responses={**errors(404), 200: {"content": FILES}},
    summary="The draft as a file",
)
async def give(
    state: ServiceState,
    editor: Editor,
    name: LexiconName,
    form: FormatQuery = "csv",
    encoding: Annotated[Literal["utf-8", "gb18030"], Query(description="Of the file.")] = "utf-8",
) -> Response:
    """Imported again it gives the same version, but for a list of words, which has no more than those.

    Cells that a spreadsheet would take for formulas have a ' before them.
    """
    refuse_shipped(name)
    async with state["database"].read() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name)
        content = await read_content(connection, lexicon.id)
    data = await asyncio.to_thread(write_file, content, form, encoding)
    version = await asyncio.to_thread(lambda: version_of(content.canonical()))
    ending = "txt" if form == "words" else form
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{ending}"',
        "X-Lexicon-Version": version,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, headers=headers, media_type=TYPES[form].format(encoding))
