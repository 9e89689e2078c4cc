"""`/v1/lexicons/{name}/terms` and `.../exceptions`: the draft, one word at a time. Nothing is live before it is published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

import msgspec
from fastapi import APIRouter, Query, Response

from service.api.parameters import STRICT, AuditReason, Cursor, Limit, Page, Stored, errors
from service.api.routes.lexicons import Editor, LexiconName, refuse_shipped
from service.api.state import ServiceState
from service.api.words import (
    ExceptionBody,
    ExceptionOut,
    IfMatch,
    Phrase,
    TermBody,
    TermId,
    TermOut,
    exception_item,
    exception_out,
    read_merged,
    revision_of,
    set_etag,
    term_item,
    term_out,
    wrong,
)
from service.errors import NotFound
from service.lexicon.term import Term
from service.match.candidate import SHIPPED
from service.record.audit import add_entry
from service.record.cursor import key_cursor, read_key_cursor
from service.record.drafts import (
    Author,
    Item,
    ItemFilters,
    Kind,
    get_item,
    item_of,
    list_items,
    put_item,
    remove_item,
)
from service.record.keys import ApiKey
from service.record.lexicons import get_lexicon
from service.vocabulary import Category, Platform, Severity

router = APIRouter(prefix="/v1/lexicons/{name}", tags=["lexicons"], dependencies=STRICT)

T = TypeVar("T")
CHANGED = errors(400, 404, 409, 412, 413, 415, 428)
Search = Annotated[Annotated[str, Stored] | None, Query(max_length=128, description="Found in the id or the pattern.")]
OnOff = Annotated[Literal["on", "off"] | None, Query(description="off: switches one below off.")]


@router.get("/terms", responses=errors(404), summary="Terms of the draft by id")
async def index(
    state: ServiceState,
    editor: Editor,
    name: LexiconName,
    q: Search = None,
    category: Category | None = None,
    severity: Severity | None = None,
    platform: Platform | None = None,
    state_: Annotated[OnOff, Query(alias="state")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[TermOut]:
    """Of `builtin`: those that are shipped."""
    filters = ItemFilters(q=q, category=category, severity=severity, platform=platform, state=state_)
    if name == SHIPPED:
        found, following = list_shipped(state["pipeline"].live.shipped.terms, filters, limit, cursor)
    else:
        lexicon = await get_lexicon(state["database"], editor.tenant_id, name)
        found, following = await list_items(state["database"], lexicon.items_id, filters, limit=limit, cursor=cursor)
    return Page(items=list(map(term_out, found)), next_cursor=following)


@router.post("/terms", status_code=201, responses=errors(400, 404, 409, 413, 415), summary="Add a term to the draft")
async def add(
    state: ServiceState, editor: Editor, name: LexiconName, body: TermBody, reason: AuditReason, response: Response
) -> TermOut:
    """One with the id of a shipped term replaces that."""
    return await _store(state, editor, name, term_item(body), None, reason, response, term_out)


@router.get("/terms/{term_id:path}", responses=errors(404), summary="One term of the draft")
async def show(state: ServiceState, editor: Editor, name: LexiconName, term_id: TermId, response: Response) -> TermOut:
    if name == SHIPPED:
        found = next((term for term in state["pipeline"].live.shipped.terms if term.id == term_id), None)
        if found is None:
            raise NotFound(f"there is no shipped term {term_id}")
        return term_out(item_of(found))
    item = await _get(state, editor, name, "term", term_id)
    set_etag(response, item.revision)
    return term_out(item)


@router.patch("/terms/{term_id:path}", responses=CHANGED, summary="Change a term of the draft")
async def change(
    state: ServiceState,
    editor: Editor,
    name: LexiconName,
    term_id: TermId,
    body: TermBody,
    reason: AuditReason,
    response: Response,
    if_match: IfMatch = None,
) -> TermOut:
    """What is left out stays as it is; `{"state": "off"}` alone switches off, with whatever is below it."""
    refuse_shipped(name)
    if body.id not in (None, term_id):
        raise wrong("id", "can't be changed; delete the term and add another")
    before = await _get(state, editor, name, "term", term_id)
    given = body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if body.state == "off" and "state" in given:
        merged = {"id": term_id, **given}
    else:
        merged = {**(msgspec.to_builtins(before.body) if before.body else {}), **given, "id": term_id, "state": "on"}
    item = term_item(read_merged(merged))
    return await _store(state, editor, name, item, revision_of(if_match, before.revision), reason, response, term_out)


@router.delete(
    "/terms/{term_id:path}", status_code=204, responses=errors(404, 409, 412, 428), summary="Take a term out"
)
async def remove(
    state: ServiceState,
    editor: Editor,
    name: LexiconName,
    term_id: TermId,
    reason: AuditReason,
    if_match: IfMatch = None,
) -> None:
    """Out of the draft; a shipped term that it replaced or switched off is back with the next publication."""
    await _remove(state, editor, name, "term", term_id, if_match, reason)


@router.get("/exceptions", responses=errors(404), summary="Exceptions of the draft by phrase")
async def index_exceptions(
    state: ServiceState,
    editor: Editor,
    name: LexiconName,
    q: Search = None,
    state_: Annotated[OnOff, Query(alias="state")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ExceptionOut]:
    """Of `builtin`: those that are shipped."""
    filters = ItemFilters(kind="exception", q=q, state=state_)
    if name == SHIPPED:
        found, following = list_shipped(state["pipeline"].live.shipped.exceptions, filters, limit, cursor)
    else:
        lexicon = await get_lexicon(state["database"], editor.tenant_id, name)
        found, following = await list_items(state["database"], lexicon.items_id, filters, limit=limit, cursor=cursor)
    return Page(items=list(map(exception_out, found)), next_cursor=following)


@router.post(
    "/exceptions", status_code=201, responses=errors(400, 404, 409, 413, 415), summary="Add an exception to the draft"
)
async def add_exception(
    state: ServiceState,
    editor: Editor,
    name: LexiconName,
    body: ExceptionBody,
    reason: AuditReason,
    response: Response,
) -> ExceptionOut:
    """Whatever is found inside the phrase is let pass."""
    return await _store(state, editor, name, exception_item(body), None, reason, response, exception_out)


@router.get("/exceptions/{phrase}", responses=errors(404), summary="One exception of the draft")
async def show_exception(
    state: ServiceState, editor: Editor, name: LexiconName, phrase: Phrase, response: Response
) -> ExceptionOut:
    item = await _get(state, editor, name, "exception", phrase)
    set_etag(response, item.revision)
    return exception_out(item)


@router.delete(
    "/exceptions/{phrase}", status_code=204, responses=errors(404, 409, 412, 428), summary="Take an exception out"
)
async def remove_exception(
    state: ServiceState,
    editor: Editor,
    name: LexiconName,
    phrase: Phrase,
    reason: AuditReason,
    if_match: IfMatch = None,
) -> None:
    await _remove(state, editor, name, "exception", phrase, if_match, reason)


async def _get(state: ServiceState, editor: ApiKey, name: str, kind: Kind, item_id: str) -> Item:
    async with state["database"].read() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name)
        return await get_item(connection, lexicon.items_id, kind, item_id.replace("\0", "␀"))


async def _store(
    state: ServiceState,
    editor: ApiKey,
    name: str,
    item: Item,
    over: int | None,
    reason: str | None,
    response: Response,
    show_item: Callable[[Item], T],
) -> T:
    refuse_shipped(name)
    now = state["clock"].now()
    async with state["database"].write() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        before = None if over is None else await get_item(connection, lexicon.items_id, item.kind, item.id)
        stored = await put_item(connection, lexicon, item, Author(editor.id, now, reason), over=over)
        await add_entry(
            connection,
            editor.tenant_id,
            editor.id,
            now,
            f"{item.kind}.{'add' if before is None else 'change'}",
            f"{name}/{item.id}",
            before=before,
            after=stored,
            reason=reason,
        )
    set_etag(response, stored.revision)
    return show_item(stored)


async def _remove(
    state: ServiceState, editor: ApiKey, name: str, kind: Kind, item_id: str, if_match: str | None, reason: str | None
) -> None:
    refuse_shipped(name)
    now = state["clock"].now()
    async with state["database"].write() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        present = await get_item(connection, lexicon.items_id, kind, item_id.replace("\0", "␀"))
        over = revision_of(if_match, present.revision)
        before = await remove_item(connection, lexicon, kind, item_id, Author(editor.id, now, reason), over=over)
        await add_entry(
            connection,
            editor.tenant_id,
            editor.id,
            now,
            f"{kind}.remove",
            f"{name}/{item_id}",
            before=before,
            reason=reason,
        )


def list_shipped(
    shipped: tuple[object, ...], filters: ItemFilters, limit: int, cursor: str | None
) -> tuple[list[Item], str | None]:
    """The same list of what is shipped. Raises Malformed for a broken cursor."""
    last = read_key_cursor(cursor, 1)[0] if cursor else ""
    items = sorted((item_of(body) for body in shipped), key=lambda item: item.id)  # type: ignore[arg-type]
    found = [item for item in items if item.id > last and matches(item, filters)][: limit + 1]
    if len(found) <= limit:
        return found, None
    return found[:limit], key_cursor(found[limit - 1].id)


def matches(item: Item, filters: ItemFilters) -> bool:
    """Whether a shipped item is one of those that are asked for."""
    term = item.body if isinstance(item.body, Term) else None
    words = f"{item.id}\n{term.pattern if term else ''}".casefold()
    return (
        (filters.q is None or filters.q.casefold() in words)
        and filters.state != "off"
        and (filters.category is None or (term is not None and term.category == filters.category))
        and (filters.severity is None or (term is not None and term.severity == filters.severity))
        and (filters.platform is None or (term is not None and not {"*", filters.platform}.isdisjoint(term.platforms)))
    )
