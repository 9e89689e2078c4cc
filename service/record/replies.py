"""Answers kept for retries: the same message id or Idempotency-Key gets the stored answer again.

They are written by `writer.py`, in one transaction with their incident.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import delete, select, tuple_

from service.record import schema
from service.record.database import Store, reading, writing

Scope = Literal["message", "key", "hook"]
"""What a reply is found by: the client's message id, its Idempotency-Key, or a chat tool's id of its call."""


class Reply(msgspec.Struct, frozen=True):
    """A stored answer."""

    tenant_id: str
    scope: Scope
    reply_key: str
    fingerprint: str
    """Of the request's content; a retry with another one is refused."""
    body: bytes
    """The answer as it was sent."""
    created_at: datetime


async def find_reply(database: Store, tenant_id: str, scope: Scope, reply_key: str) -> Reply | None:
    """The answer stored under this key, or None."""
    query = select(schema.replies).where(
        schema.replies.c.tenant_id == tenant_id,
        schema.replies.c.scope == scope,
        schema.replies.c.reply_key == reply_key,
    )
    async with reading(database) as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else Reply(**row._mapping)


async def purge_replies(database: Store, before: datetime, limit: int = 1000) -> int:
    """Deletes the oldest replies made before `before`, at most `limit`; returns how many went.

    Small batches keep other writers waiting only briefly: call again until it returns less than `limit`.
    """
    key = tuple_(schema.replies.c.tenant_id, schema.replies.c.scope, schema.replies.c.reply_key)
    oldest = (
        select(schema.replies.c.tenant_id, schema.replies.c.scope, schema.replies.c.reply_key)
        .where(schema.replies.c.created_at < before)
        .order_by(schema.replies.c.created_at)
        .limit(limit)
    )
    async with writing(database) as connection:
        return (await connection.execute(delete(schema.replies).where(key.in_(oldest)))).rowcount
