"""What belongs to one tenant does not exist for another: every function that takes a tenant is tried."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from service.errors import NotFound
from service.record import audit, claims, hourly, incidents, keys, replies, reviews, shops
from service.record.database import Database
from tests.record.factories import NOW, make_incident, make_reply, store

MINE, STRANGER = "acme", "stranger"
SHOP = shops.Shop(shop_id="shop-1", platform="jd")
LATER = NOW + timedelta(minutes=1)
EVER = hourly.HourFilters(first=0, end=10**9)
FILTERS = incidents.IncidentFilters()
Call = Callable[[Database, str], Awaitable[object]]

ATTEMPTS: dict[str, tuple[Call, object]] = {
    "get_incident": (lambda db, id_: incidents.get_incident(db, STRANGER, id_), NotFound),
    "list_incidents": (lambda db, id_: incidents.list_incidents(db, STRANGER, FILTERS, limit=9), ([], None)),
    "override_incident": (lambda db, id_: incidents.override_incident(db, STRANGER, id_, "", NOW), NotFound),
    "claim_incident": (lambda db, id_: claims.claim_incident(db, STRANGER, id_, "k", NOW, LATER), NotFound),
    "release_incident": (lambda db, id_: claims.release_incident(db, STRANGER, id_, "k", NOW), NotFound),
    "lock_incident": (lambda db, id_: _locked(db, id_), NotFound),
    "find_appeal": (lambda db, id_: reviews.find_appeal(db, STRANGER, id_), None),
    "reviews_of": (lambda db, id_: reviews.reviews_of(db, STRANGER, id_), []),
    "list_reviews": (lambda db, id_: reviews.list_reviews(db, STRANGER, reviews.ReviewFilters(), limit=9), ([], None)),
    "read_counts": (
        lambda db, id_: hourly.read_counts(db, STRANGER, "decision", EVER, width=1, offset=0, limit=9),
        [],
    ),
    "find_reply": (lambda db, id_: replies.find_reply(db, STRANGER, "message", id_), None),
    "list_keys": (lambda db, id_: keys.list_keys(db, STRANGER), []),
    "revoke_key": (lambda db, id_: keys.revoke_key(db, STRANGER, id_, NOW), NotFound),
    "create_key": (
        lambda db, id_: _names(keys.create_key(db, STRANGER, "mine", "admin", None, NOW)),
        STRANGER,
    ),
    "get_shop": (lambda db, id_: shops.get_shop(db, STRANGER, "shop-1"), NotFound),
    "put_shop": (lambda db, id_: shops.put_shop(db, STRANGER, SHOP, NOW), None),
    "delete_shop": (lambda db, id_: shops.delete_shop(db, STRANGER, "shop-1"), NotFound),
    "list_shops": (lambda db, id_: shops.list_shops(db, STRANGER, limit=9), ([], None)),
    "add_entry": (lambda db, id_: _names(audit.add_entry(db, STRANGER, "k", NOW, "a", "t")), STRANGER),
    "list_entries": (lambda db, id_: audit.list_entries(db, STRANGER, limit=9), ([], None)),
}


async def _locked(database: Database, incident_id: str) -> object:
    async with database.write() as connection:
        return await reviews.lock_incident(connection, STRANGER, incident_id)


async def _names(made: Awaitable[keys.ApiKey | audit.AuditEntry | tuple[keys.ApiKey, str]]) -> str:
    """The tenant that the new thing belongs to."""
    thing = await made
    return (thing[0] if isinstance(thing, tuple) else thing).tenant_id


def test_every_function_that_takes_a_tenant_is_tried() -> None:
    found = {
        name
        for module in ("audit", "claims", "hourly", "incidents", "keys", "replies", "reviews", "shops")
        for name, function in inspect.getmembers(importlib.import_module(f"service.record.{module}"))
        if inspect.iscoroutinefunction(function) and not name.startswith("_")
        if function.__module__ == f"service.record.{module}"
        if "tenant_id" in inspect.signature(function).parameters
    }
    assert found == set(ATTEMPTS)


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_a_stranger_sees_and_changes_nothing(database: Database, name: str) -> None:
    incident = make_incident(tenant_id=MINE)
    key, plain = await keys.create_key(database, MINE, "ours", "admin", None, NOW)
    await store(database, incident, make_reply(incident.id, tenant_id=MINE))
    await shops.put_shop(database, MINE, SHOP, NOW)
    entry = await audit.add_entry(database, MINE, key.id, NOW, "shop.put", "shop-1")

    call, expected = ATTEMPTS[name]
    target = key.id if name == "revoke_key" else incident.id
    if expected is NotFound:
        with pytest.raises(NotFound):
            await call(database, target)
    else:
        assert await call(database, target) == expected

    assert await incidents.list_incidents(database, MINE, FILTERS, limit=9) == ([incident], None)
    assert await keys.find_key(database, keys.hash_key(plain)) == key
    assert await keys.list_keys(database, MINE) == [key]
    assert await shops.list_shops(database, MINE, limit=9) == ([SHOP], None)
    assert await audit.list_entries(database, MINE, limit=9) == ([entry], None)
    assert await replies.find_reply(database, MINE, "message", incident.id) is not None
