"""`/v1/shops`: what a shop has registered as its own, so that its agents may send it."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

import msgspec
from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.api.access import Requires
from service.api.parameters import STRICT, AuditReason, Body, Cursor, Limit, Name, Page, Stored, errors
from service.api.state import ServiceState
from service.record.audit import add_entry
from service.record.keys import ApiKey
from service.record.shops import Shop, delete_shop, get_shop, list_shops, put_shop
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


@router.get("", responses=errors(), summary="Shops by id")
async def index(state: ServiceState, editor: Editor, limit: Limit = 50, cursor: Cursor = None) -> Page[ShopOut]:
    found, following = await list_shops(state["database"], editor.tenant_id, limit=limit, cursor=cursor)
    return Page(items=[shop_out(shop) for shop in found], next_cursor=following)


@router.get("/{shop_id}", responses=errors(404), summary="One shop")
async def show(state: ServiceState, editor: Editor, shop_id: Name) -> ShopOut:
    return shop_out(await get_shop(state["database"], editor.tenant_id, shop_id))


@router.put("/{shop_id}", responses=errors(400, 413, 415), summary="Put a shop in place of what was there")
async def put(state: ServiceState, editor: Editor, shop_id: Name, body: ShopBody, reason: AuditReason) -> ShopOut:
    now = state["clock"].now()
    shop = msgspec.convert({"shop_id": shop_id, **body.model_dump()}, Shop)
    async with state["database"].write() as connection:
        before = await put_shop(connection, editor.tenant_id, shop, now)
        await add_entry(
            connection,
            editor.tenant_id,
            editor.id,
            now,
            "shop.put",
            shop_id,
            before=before,
            after=shop,
            reason=reason,
        )
    state["shops"].forget()
    return shop_out(shop)


@router.delete("/{shop_id}", status_code=204, responses=errors(404), summary="Forget a shop")
async def delete(state: ServiceState, editor: Editor, shop_id: Name, reason: AuditReason) -> None:
    """Its incidents stay."""
    now = state["clock"].now()
    async with state["database"].write() as connection:
        before = await delete_shop(connection, editor.tenant_id, shop_id)
        await add_entry(
            connection, editor.tenant_id, editor.id, now, "shop.delete", shop_id, before=before, reason=reason
        )
    state["shops"].forget()


def shop_out(shop: Shop) -> ShopOut:
    return ShopOut(**msgspec.to_builtins(shop))
