"""A lexicon's draft: terms and exceptions as the last of their revisions left them, and every revision ever made.

A change says which revision of the item it is a change of; where another has come in between it is refused, so nobody
overwrites what he has not seen. What reads takes a lexicon's `items_id`, for an import may have replaced all rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Dialect, Row, delete, func, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Insert

from service.errors import Conflict, NotFound, Stale
from service.lexicon.overlay import Content
from service.lexicon.term import ExceptionPhrase, Term
from service.record.cursor import key_cursor, read_key_cursor
from service.record.database import Store, reading, writing
from service.record.lexicon_schema import lexicon_items as _items
from service.record.lexicon_schema import lexicon_revisions as _revisions
from service.record.lexicons import Lexicon, take_revisions
from service.vocabulary import Category, Platform, Severity

Kind = Literal["term", "exception"]
State = Literal["on", "off"]
BATCH = 1000
"""Rows in one statement or one read."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One term or exception of a draft, or the word that one below is switched off."""

    kind: Kind
    id: str
    """A term's id, an exception's phrase."""
    body: Term | ExceptionPhrase | None
    """None: what has this id in the lexicons below is switched off."""
    revision: int = 0
    """Of the draft, when this came to be; 0 before it is stored."""

    @property
    def state(self) -> State:
        return "off" if self.body is None else "on"


class ItemFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which items of a draft to list; None is any."""

    kind: Kind = "term"
    q: str | None = None
    """Found in the id or the pattern, in whatever case."""
    category: Category | None = None
    severity: Severity | None = None
    platform: Platform | None = None
    """Those that hold on it, `*` included."""
    state: State | None = None


class Author(msgspec.Struct, frozen=True):
    """Who changes a draft, when and why."""

    key_id: str
    at: datetime
    reason: str | None = None


def item_of(body: Term | ExceptionPhrase) -> Item:
    """The item that holds `body`."""
    if isinstance(body, Term):
        return Item(kind="term", id=body.id, body=body)
    return Item(kind="exception", id=body.phrase, body=body)


async def get_item(store: Store, items_id: str, kind: Kind, item_id: str) -> Item:
    """Raises NotFound."""
    item = await _find(store, items_id, kind, item_id)
    if item is None:
        raise NotFound(f"the draft has no {kind} {item_id}")
    return item


async def put_item(store: Store, lexicon: Lexicon, item: Item, author: Author, *, over: int | None) -> Item:
    """Stores the item over the revision `over` of itself; None: it must be new. Hold the lexicon's lock.

    Raises Conflict when it is there already, NotFound when it is not, Stale when it has another revision.
    """
    async with writing(store) as connection:
        before = await _find(connection, lexicon.items_id, item.kind, item.id)
        if over is None and before is not None:
            raise Conflict(f"the draft has a {item.kind} {item.id} already; change that one", code="exists")
        if over is not None:
            _check_fresh(before, item.kind, item.id, over)
        return (await put_items(connection, lexicon, [item], author))[0]


async def remove_item(store: Store, lexicon: Lexicon, kind: Kind, item_id: str, author: Author, *, over: int) -> Item:
    """Takes the item out of the draft and returns it as it was. Hold the lexicon's lock. Raises NotFound, Stale."""
    async with writing(store) as connection:
        before = _check_fresh(await _find(connection, lexicon.items_id, kind, item_id), kind, item_id, over)
        revision = await take_revisions(connection, lexicon, 1)
        gone = msgspec.structs.replace(before, body=None, revision=revision)
        await connection.execute(insert(_revisions), [revision_row(lexicon.id, gone, author) | {"state": "removed"}])
        await connection.execute(delete(_items).where(*_is(lexicon.items_id, kind, item_id)))
    return before


async def put_items(store: Store, lexicon: Lexicon, items: Sequence[Item], author: Author) -> list[Item]:
    """Stores all, over whatever was there; all or none. Hold the lexicon's lock."""
    if not items:
        return []
    async with writing(store) as connection:
        first = await take_revisions(connection, lexicon, len(items))
        stored = [msgspec.structs.replace(item, revision=first + place) for place, item in enumerate(items)]
        for start in range(0, len(stored), BATCH):
            rows = [revision_row(lexicon.id, item, author) for item in stored[start : start + BATCH]]
            await connection.execute(insert(_revisions), rows)
            await upsert_items(connection, [item_row(lexicon.items_id, item) for item in stored[start : start + BATCH]])
    return stored


async def list_items(
    store: Store, items_id: str, filters: ItemFilters, *, limit: int, cursor: str | None = None
) -> tuple[list[Item], str | None]:
    """At most `limit` items by id, and the cursor of the next page or None. Raises Malformed for a broken cursor."""
    query = select(_items).where(_items.c.lexicon_id == items_id, _items.c.kind == filters.kind)
    for name in ("category", "severity", "state"):
        if getattr(filters, name) is not None:
            query = query.where(_items.c[name] == getattr(filters, name))
    if filters.platform is not None:
        holds = [_items.c.platforms.contains(f",{name},") for name in (filters.platform, "*")]
        query = query.where(or_(*holds))
    if filters.q:
        query = query.where(
            or_(
                _items.c.item_id.icontains(filters.q, autoescape=True),
                _items.c.pattern.icontains(filters.q, autoescape=True),
            )
        )
    if cursor is not None:
        query = query.where(_items.c.item_id > read_key_cursor(cursor, 1)[0])
    async with reading(store) as connection:
        rows = await connection.execute(query.order_by(_items.c.item_id).limit(limit + 1))
        found = [_item(row) for row in rows]
    if len(found) <= limit:
        return found, None
    return found[:limit], key_cursor(found[limit - 1].id)


async def count_items(store: Store, items_id: str) -> int:
    """Terms and exceptions of a draft."""
    query = select(func.count()).select_from(_items).where(_items.c.lexicon_id == items_id)
    async with reading(store) as connection:
        return int((await connection.execute(query)).scalar_one())


async def read_content(store: Store, items_id: str) -> Content:
    """The whole draft, read in one transaction and in pieces, so that a large one holds nobody up for long."""
    items: list[Item] = []
    async with reading(store) as connection:
        for kind in ("term", "exception"):
            last = ""
            while True:
                query = (
                    select(_items)
                    .where(_items.c.lexicon_id == items_id, _items.c.kind == kind, _items.c.item_id > last)
                    .order_by(_items.c.item_id)
                    .limit(BATCH)
                )
                page = [_item(row) for row in await connection.execute(query)]
                items += page
                if len(page) < BATCH:
                    break
                last = page[-1].id
    return content_of(items)


def content_of(items: Iterable[Item]) -> Content:
    """What these items are together."""
    items = list(items)
    bodies = [item.body for item in items]
    off = [item for item in items if item.body is None]
    return Content(
        terms=tuple(body for body in bodies if isinstance(body, Term)),
        exceptions=tuple(body for body in bodies if isinstance(body, ExceptionPhrase)),
        terms_off=tuple(item.id for item in off if item.kind == "term"),
        exceptions_off=tuple(item.id for item in off if item.kind == "exception"),
    )


def items_of(content: Content) -> list[Item]:
    """The items of some content; the other way round."""
    return [
        *map(item_of, content.terms),
        *(Item(kind="term", id=term_id, body=None) for term_id in content.terms_off),
        *map(item_of, content.exceptions),
        *(Item(kind="exception", id=phrase, body=None) for phrase in content.exceptions_off),
    ]


async def _find(store: Store, items_id: str, kind: Kind, item_id: str) -> Item | None:
    async with reading(store) as connection:
        row = (await connection.execute(select(_items).where(*_is(items_id, kind, item_id)))).one_or_none()
    return None if row is None else _item(row)


async def upsert_items(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    await connection.execute(upsert_statement(connection.dialect, list(rows[0])), rows)


def upsert_statement(dialect: Dialect, names: Sequence[str]) -> Insert:
    """Stores items with these columns over what was there."""
    statement: Any = (sqlite_insert if dialect.name == "sqlite" else postgresql_insert)(_items)
    changed = {name: statement.excluded[name] for name in names if name not in ("lexicon_id", "kind", "item_id")}
    stored: Insert = statement.on_conflict_do_update(index_elements=["lexicon_id", "kind", "item_id"], set_=changed)
    return stored


def _check_fresh(item: Item | None, kind: Kind, item_id: str, over: int) -> Item:
    if item is None:
        raise NotFound(f"the draft has no {kind} {item_id}")
    if item.revision != over:
        raise Stale(
            f"{kind} {item_id} was changed in the meantime, it is at revision {item.revision} now; read it again"
        )
    return item


def _is(items_id: str, kind: Kind, item_id: str) -> tuple[Any, ...]:
    return (_items.c.lexicon_id == items_id, _items.c.kind == kind, _items.c.item_id == item_id)


def revision_row(lexicon_id: str, item: Item, author: Author) -> dict[str, Any]:
    return {
        "lexicon_id": lexicon_id,
        "revision": item.revision,
        "kind": item.kind,
        "item_id": item.id,
        "state": item.state,
        "body": _encode(item),
        "key_id": author.key_id,
        "reason": author.reason,
        "at": author.at,
    }


def item_row(items_id: str, item: Item) -> dict[str, Any]:
    body, term = item.body, item.body if isinstance(item.body, Term) else None
    return {
        "lexicon_id": items_id,
        "kind": item.kind,
        "item_id": item.id,
        "revision": item.revision,
        "state": item.state,
        "category": term.category if term else "",
        "severity": term.severity if term else "",
        "platforms": f",{','.join(term.platforms)}," if term else "",
        "pattern": term.pattern if term else body.phrase if isinstance(body, ExceptionPhrase) else "",
        "body": _encode(item),
    }


def _encode(item: Item) -> bytes:
    return b"" if item.body is None else msgspec.json.encode(item.body)


def _item(row: Row[Any]) -> Item:
    kind: type[Term] | type[ExceptionPhrase] = Term if row.kind == "term" else ExceptionPhrase
    body = msgspec.json.decode(row.body, type=kind) if row.body else None
    return Item(kind=row.kind, id=row.item_id, body=body, revision=row.revision)
