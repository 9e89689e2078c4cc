"""`/v1/lexicons/{name}/import` and `.../export`: a whole draft as a file."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from service.api.parameters import AuditReason, errors, known_query
from service.api.routes.lexicons import Editor, LexiconName, refuse_shipped
from service.api.state import ServiceState
from service.errors import Malformed, UnsupportedMedia
from service.exchanging import Upload, give_draft, take_upload
from service.lexicon.exchange import Encoding, Format, WordDefaults
from service.live import LARGE
from service.making import give_file, take_file
from service.record.drafts import count_items
from service.record.lexicons import get_lexicon
from service.vocabulary import Category, Severity

router = APIRouter(prefix="/v1/lexicons/{name}", tags=["lexicons"], dependencies=[Depends(known_query)])

LARGE_FILE = 256 * 1024
"""Bytes from which on a file is read by the workbench."""
TYPES: dict[Format, str] = {
    "csv": "text/csv; charset={}",
    "jsonl": "application/x-ndjson; charset={}",
    "words": "text/plain; charset={}",
}
FILES = {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in TYPES.values()}
ACCEPTED = {"", "application/octet-stream", "application/x-www-form-urlencoded", *FILES}
"""A file that is sent without its kind is read as `format` says. The last but those is what curl says of any file."""
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
    await get_lexicon(state["database"], editor.tenant_id, name)
    data = await request.body()
    if not data.strip():
        raise Malformed("The file is empty.")
    upload = Upload(
        data=data,
        form=form,
        encoding=encoding,
        defaults=WordDefaults(category, severity, match) if category else None,
        replace=mode == "replace",
        partial=partial_,
    )
    now = state["clock"].now()
    if len(data) >= LARGE_FILE:
        run, url = state["jobs"].workbench.run, state["settings"].database_url
        taken = await run(take_file, url, editor.tenant_id, editor.id, name, upload, now, reason)
    else:
        taken = await take_upload(state["database"], editor.tenant_id, editor.id, name, upload, now, reason)
    return Imported(
        lines=taken.lines,
        taken=taken.taken,
        revision=taken.revision,
        refused=[RefusedLine(line=line, reason=why) for line, why in taken.refused],
        refused_count=taken.refused_count,
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
    database = state["database"]
    async with database.read() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name)
        large = await count_items(connection, lexicon.items_id) >= LARGE
    if large:
        run, url = state["jobs"].workbench.run, state["settings"].database_url
        data, version = await run(give_file, url, editor.tenant_id, name, form, encoding)
    else:
        data, version = await give_draft(database, editor.tenant_id, name, form, encoding)
    ending = "txt" if form == "words" else form
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{ending}"',
        "X-Lexicon-Version": version,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, headers=headers, media_type=TYPES[form].format(encoding))
