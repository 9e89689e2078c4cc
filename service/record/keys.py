"""API keys. Only a key's hash is stored: who loses the key makes a new one."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils import uuid7

from service.errors import Conflict, NotFound
from service.record import schema
from service.record.database import Database, Store, insert_new, reading, writing

Role = Literal["client", "editor", "supervisor", "admin"]

DEFAULT_TENANT = "default"
FIRST_START_LOCK = 0x7374617274
"""Of PostgreSQL's advisory lock: "start" in ASCII."""

_table = schema.api_keys
_columns = [column for column in _table.c if column.name != "key_hash"]


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key; neither the key nor its hash."""

    id: str
    """UUIDv7."""
    tenant_id: str
    name: str
    """What the tenant calls it."""
    role: Role
    rate_limit: str | None
    """Such as `100/second`; None for none."""
    created_at: datetime
    revoked_at: datetime | None = None


def hash_key(plain: str) -> str:
    """SHA-256 of the key, hexadecimal.

    A fast hash is enough: a key of ours has 256 random bits, so nobody can try them all.
    """
    return sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


async def create_key(
    database: Store,
    tenant_id: str,
    name: str,
    role: Role,
    rate_limit: str | None,
    at: datetime,
    plain: str | None = None,
) -> tuple[ApiKey, str]:
    """Stores a new key and returns it with its plain form, which can be had only now.

    Without `plain` a random one is made, `sk_` and 43 url-safe characters. A tenant that is new is created.
    Raises Conflict when `plain` is in use.
    """
    plain = plain or f"sk_{token_urlsafe(32)}"
    key = ApiKey(id=str(uuid7()), tenant_id=tenant_id, name=name, role=role, rate_limit=rate_limit, created_at=at)
    async with writing(database) as connection:
        await _create_tenant(connection, tenant_id, at)
        row = msgspec.structs.asdict(key) | {"key_hash": hash_key(plain)}
        try:
            await connection.execute(_table.insert().values(row))
        except IntegrityError as error:
            raise Conflict("this key is in use already; choose another or let one be made") from error
    return key, plain


async def find_key(database: Store, key_hash: str) -> ApiKey | None:
    """The key with this hash; None when there is none or it was revoked."""
    query = select(*_columns).where(_table.c.key_hash == key_hash, _table.c.revoked_at.is_(None))
    async with reading(database) as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else _key(row)


async def list_keys(database: Store, tenant_id: str) -> list[ApiKey]:
    """All keys of the tenant, oldest first, revoked ones too."""
    query = select(*_columns).where(_table.c.tenant_id == tenant_id).order_by(_table.c.created_at, _table.c.id)
    async with reading(database) as connection:
        return [_key(row) for row in await connection.execute(query)]


async def revoke_key(database: Store, tenant_id: str, key_id: str, at: datetime) -> ApiKey:
    """Makes the key void from now on; one that was revoked before keeps its time. Raises NotFound."""
    change = (
        update(_table)
        .where(_table.c.tenant_id == tenant_id, _table.c.id == key_id)
        .values(revoked_at=func.coalesce(_table.c.revoked_at, at))
        .returning(*_columns)
    )
    async with writing(database) as connection:
        row = (await connection.execute(change)).one_or_none()
    if row is None:
        raise NotFound(f"there is no key {key_id}; list them at /v1/keys")
    return _key(row)


async def first_start(database: Database, admin_key: str | None, key_file: Path, at: datetime) -> bool:
    """Gives an empty database the tenant `default` and one admin key; true when it did.

    The key is `admin_key`, else a random one in `key_file` (mode 0600), and nowhere else. Of several
    processes that start at once one does it.
    """
    async with database.write() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": FIRST_START_LOCK})
        if (await connection.execute(select(_table.c.id).limit(1))).first() is not None:
            return False
        _, plain = await create_key(connection, DEFAULT_TENANT, "first admin", "admin", None, at, admin_key)
        if not admin_key:
            # Before the commit: the next start mends a file without its key, nothing a key without its file.
            await asyncio.to_thread(_write_secret, key_file, plain)
    return True


async def _create_tenant(connection: AsyncConnection, tenant_id: str, at: datetime) -> None:
    statement = insert_new(schema.tenants, connection.dialect)
    await connection.execute(statement.values(id=tenant_id, created_at=at))


def _write_secret(path: Path, secret: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)  # an older file may have let others read
        file.write(f"{secret}\n")
        file.flush()
        os.fsync(descriptor)


def _key(row: Row[Any]) -> ApiKey:
    return msgspec.convert(row, ApiKey, from_attributes=True)
