"""`/v1/lexicons`: a tenant's own lexicons over the shipped one, which is called `builtin` and can only be read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from service.api.access import Requires
from service.api.parameters import STRICT, AuditReason, Body, Cursor, Limit, Page, Stored, errors
from service.api.state import ServiceState
from service.api.words import LEXICON_NAME
from service.errors import Conflict
from service.match.candidate import SHIPPED
from service.record.audit import add_entry
from service.record.keys import ApiKey
from service.record.lexicons import (
    Lexicon,
    change_lexicon,
    create_lexicon,
    delete_lexicon,
    get_lexicon,
    list_lexicons,
)

router = APIRouter(prefix="/v1/lexicons", tags=["lexicons"], dependencies=STRICT)

Editor = Annotated[ApiKey, Depends(Requires("editor", "admin"))]
LexiconName = Annotated[str, Path(pattern=LEXICON_NAME, examples=["shop-words"])]
Description = Annotated[str, Field(max_length=500), Stored]


class NewLexicon(Body):
    """A lexicon to be made."""

    name: Annotated[str, Field(pattern=LEXICON_NAME, examples=["shop-words"])]
    description: Description = ""


class LexiconChange(Body):
    """What is left out stays as it is."""

    description: Description | None = None
    enabled: Annotated[bool | None, Field(description="false takes it out of service at once.")] = None


class LexiconOut(BaseModel):
    """A lexicon without its words."""

    name: str
    description: str
    enabled: bool
    read_only: bool
    revision: int = Field(description="Changes that were made to the draft.")
    version: str | None = Field(description="In service, as answers name it; null: nothing was published yet.")
    published_at: datetime | None
    unpublished_changes: bool | None = Field(description="null after a rollback: see the draft.")


@router.get("", responses=errors(), summary="Lexicons by name, the shipped one first")
async def index(state: ServiceState, editor: Editor, limit: Limit = 50, cursor: Cursor = None) -> Page[LexiconOut]:
    found, following = await list_lexicons(state["database"], editor.tenant_id, limit=limit, cursor=cursor)
    shipped = [] if cursor else [shipped_out(state)]
    return Page(items=[*shipped, *map(lexicon_out, found)], next_cursor=following)


@router.post("", status_code=201, responses=errors(400, 409, 413, 415), summary="Make a lexicon")
async def create(state: ServiceState, editor: Editor, body: NewLexicon, reason: AuditReason) -> LexiconOut:
    """It changes nothing before something is published."""
    refuse_shipped(body.name)
    now = state["clock"].now()
    async with state["database"].write() as connection:
        made = await create_lexicon(connection, editor.tenant_id, body.name, body.description, now)
        await add_entry(
            connection,
            editor.tenant_id,
            editor.id,
            now,
            "lexicon.create",
            body.name,
            after=body.model_dump(),
            reason=reason,
        )
    return lexicon_out(made)


@router.get("/{name}", responses=errors(404), summary="One lexicon")
async def show(state: ServiceState, editor: Editor, name: LexiconName) -> LexiconOut:
    if name == SHIPPED:
        return shipped_out(state)
    return lexicon_out(await get_lexicon(state["database"], editor.tenant_id, name))


@router.patch("/{name}", responses=errors(400, 404, 409, 413, 415), summary="Describe it, or switch it on or off")
async def change(
    state: ServiceState, editor: Editor, name: LexiconName, body: LexiconChange, reason: AuditReason
) -> LexiconOut:
    refuse_shipped(name)
    now = state["clock"].now()
    async with state["database"].write() as connection:
        before = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        after = await change_lexicon(connection, before, description=body.description, enabled=body.enabled)
        await add_entry(
            connection,
            editor.tenant_id,
            editor.id,
            now,
            "lexicon.change",
            name,
            before={"description": before.description, "enabled": before.enabled},
            after={"description": after.description, "enabled": after.enabled},
            reason=reason,
        )
    await state["watch"].catch_up(editor.tenant_id)
    return lexicon_out(after)


@router.delete("/{name}", status_code=204, responses=errors(404, 409), summary="Delete a lexicon")
async def delete(state: ServiceState, editor: Editor, name: LexiconName, reason: AuditReason) -> None:
    """Out of service at once. What it held stays in the database, but no route leads to it."""
    refuse_shipped(name)
    now = state["clock"].now()
    async with state["database"].write() as connection:
        gone = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        await delete_lexicon(connection, gone, now)
        before = {"description": gone.description, "version": gone.published_version}
        await add_entry(
            connection, editor.tenant_id, editor.id, now, "lexicon.delete", name, before=before, reason=reason
        )
    await state["watch"].catch_up(editor.tenant_id)


def refuse_shipped(name: str) -> None:
    """Raises Conflict for the shipped lexicon."""
    if name == SHIPPED:
        raise Conflict(
            f"{SHIPPED} can only be read; add, replace or switch off its words in a lexicon of your own",
            code="read_only",
        )


def lexicon_out(lexicon: Lexicon) -> LexiconOut:
    version = lexicon.published_version
    since = lexicon.published_revision
    fresh = lexicon.revision > 0 if version is None else None if since is None else lexicon.revision > since
    return LexiconOut(
        name=lexicon.name,
        description=lexicon.description,
        enabled=lexicon.enabled,
        read_only=False,
        revision=lexicon.revision,
        version=version and f"{lexicon.name}@{version}",
        published_at=lexicon.published_at,
        unpublished_changes=fresh,
    )


def shipped_out(state: ServiceState) -> LexiconOut:
    return LexiconOut(
        name=SHIPPED,
        description="What comes with the service.",
        enabled=True,
        read_only=True,
        revision=0,
        version=state["pipeline"].live.engine.lexicon_version,
        published_at=None,
        unpublished_changes=False,
    )
