"""`/v1/shops`: what a shop has registered as its own, so that its agents may send it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import available_timezones

import msgspec
from fastapi import APIRouter, Depends, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.api.access import Requires
from service.api.parameters import STRICT, AuditReason, Body, Cursor, Limit, Name, Page, Stored, errors
from service.api.state import ServiceState
from service.api.words import IfMatch, RevisionBody, over_of, set_etag
from service.errors import Stale
from service.record.audit import add_entry
from service.record.drafts import Author
from service.record.keys import ApiKey
from service.record.news import tell
from service.record.shop_revisions import (
    ShopRevision,
    add_shop_revision,
    get_shop_revision,
    list_shop_revisions,
    shop_revision,
)
from service.record.shops import Shop, delete_shop, get_shop, list_shops, no_shop, put_shop
from service.vocabulary import Platform

router = APIRouter(prefix="/v1/shops", tags=["shops"], dependencies=STRICT)

Editor = Annotated[ApiKey, Depends(Requires("editor", "admin"))]
Asset = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S"), Stored]
Own = Annotated[tuple[Asset, ...], Field(max_length=500)]


def known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("should be a time zone's IANA name, such as Asia/Shanghai")
    return name


class AssetsBody(Body):
    """What is the shop's own, each as people write it."""

    domains: Own = ()
    phones: Own = ()
    emails: Own = ()
    addresses: Annotated[Own, Field(description="The return address, for one.")] = ()
    accounts: Own = ()


class ShopBody(Body):
    """One store on one marketplace."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "platform": "taobao",
                    "ladders": ["kpi"],
                    "assets": {"domains": ["shop.example"], "phones": ["400-810-0000"]},
                }
            ]
        }
    )

    platform: Platform
    timezone: Annotated[str, Field(max_length=64), AfterValidator(known_zone)] = "Asia/Shanghai"
    ladders: Annotated[tuple[Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,63}$")], ...], Field(max_length=20)] = ()
    assets: AssetsBody = AssetsBody()


class ShopOut(BaseModel):
    """A shop as it is stored."""

    shop_id: str
    platform: Platform
    timezone: str
    ladders: list[str]
    assets: AssetsBody


class ShopRevisionOut(BaseModel):
    """One change of a shop."""

    revision: int
    before: ShopOut | None = Field(description="null: there was none.")
    after: ShopOut | None = Field(description="null: it was deleted.")
    changed_at: datetime
    changed_by: str = Field(description="The API key; empty: from before revisions were kept.")
    reason: str | None


@router.get("", responses=errors(), summary="Shops by id")
async def index(state: ServiceState, editor: Editor, limit: Limit = 50, cursor: Cursor = None) -> Page[ShopOut]:
    found, following = await list_shops(state["database"], editor.tenant_id, limit=limit, cursor=cursor)
    return Page(items=[shop_out(shop) for shop in found], next_cursor=following)


@router.get("/{shop_id}", responses=errors(404), summary="One shop")
async def show(state: ServiceState, editor: Editor, shop_id: Name, response: Response) -> ShopOut:
    async with state["database"].read() as connection:
        shop = await get_shop(connection, editor.tenant_id, shop_id)
        set_etag(response, await shop_revision(connection, editor.tenant_id, shop_id))
    return shop_out(shop)


@router.put("/{shop_id}", responses=errors(400, 412, 413, 415), summary="Put a shop in place of what was there")
async def put(
    state: ServiceState,
    editor: Editor,
    shop_id: Name,
    body: ShopBody,
    reason: AuditReason,
    response: Response,
    if_match: IfMatch = None,
) -> ShopOut:
    """Live in this process when the answer comes, in every other within a second. With `If-Match` it is refused, 412,
    where somebody has changed the shop in the meantime.
    """
    shop = msgspec.convert({"shop_id": shop_id, **body.model_dump()}, Shop)
    author = Author(editor.id, state["clock"].now(), reason)
    revision = await _change(state, editor.tenant_id, shop_id, shop, author, "shop.put", over_of(if_match))
    set_etag(response, revision)
    return shop_out(shop)


@router.delete("/{shop_id}", status_code=204, responses=errors(404, 412), summary="Forget a shop")
async def delete(
    state: ServiceState, editor: Editor, shop_id: Name, reason: AuditReason, if_match: IfMatch = None
) -> None:
    """Its incidents stay, and so do its revisions."""
    author = Author(editor.id, state["clock"].now(), reason)
    await _change(state, editor.tenant_id, shop_id, None, author, "shop.delete", over_of(if_match))


@router.get("/{shop_id}/revisions", responses=errors(404), summary="What was changed in a shop, newest first")
async def revisions(
    state: ServiceState, editor: Editor, shop_id: Name, limit: Limit = 50, cursor: Cursor = None
) -> Page[ShopRevisionOut]:
    found, following = await list_shop_revisions(
        state["database"], editor.tenant_id, shop_id, limit=limit, cursor=cursor
    )
    if not found and cursor is None:
        raise no_shop(shop_id)
    return Page(items=list(map(revision_out, found)), next_cursor=following)


@router.post(
    "/{shop_id}/rollback", responses=errors(400, 404, 412, 413, 415), summary="Put a shop back as a revision left it"
)
async def rollback(
    state: ServiceState,
    editor: Editor,
    shop_id: Name,
    body: RevisionBody,
    reason: AuditReason,
    response: Response,
    if_match: IfMatch = None,
) -> ShopOut:
    """A change like any other: it makes a new revision. One that deleted the shop is no state to go back to, 404."""
    shop = await get_shop_revision(state["database"], editor.tenant_id, shop_id, body.revision)
    if shop is None:
        raise no_shop(shop_id)
    author = Author(editor.id, state["clock"].now(), reason)
    revision = await _change(state, editor.tenant_id, shop_id, shop, author, "shop.rollback", over_of(if_match))
    set_etag(response, revision)
    return shop_out(shop)


async def _change(
    state: ServiceState, tenant_id: str, shop_id: str, shop: Shop | None, author: Author, action: str, over: int | None
) -> int:
    """Puts or deletes the shop with its revision, its audit entry and its news; returns the revision.

    Raises Stale unless `over` is the revision there, or None; NotFound where there is nothing to delete.
    """
    async with state["database"].write() as connection:
        # First the news, whose row keeps two writers one after the other.
        await tell(connection, tenant_id)
        present = await shop_revision(connection, tenant_id, shop_id)
        if over is not None and over != present:
            raise Stale(f"shop {shop_id} is at revision {present} now; read it again")
        if shop is None:
            before: Shop | None = await delete_shop(connection, tenant_id, shop_id)
        else:
            before = await put_shop(connection, tenant_id, shop, author.at)
        await add_entry(
            connection,
            tenant_id,
            author.key_id,
            author.at,
            action,
            shop_id,
            before=before,
            after=shop,
            reason=author.reason,
        )
        revision = await add_shop_revision(connection, tenant_id, shop_id, shop, author)
    state["shops"].forget(tenant_id)
    return revision


def shop_out(shop: Shop) -> ShopOut:
    return ShopOut(**msgspec.to_builtins(shop))


def revision_out(made: ShopRevision) -> ShopRevisionOut:
    return ShopRevisionOut(
        revision=made.revision,
        before=shop_out(made.before) if made.before else None,
        after=shop_out(made.after) if made.after else None,
        changed_at=made.author.at,
        changed_by=made.author.key_id,
        reason=made.author.reason,
    )
