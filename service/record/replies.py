"""Answers kept for retries: the same message id or Idempotency-Key gets the stored answer again.

Those to messages are written by `writer.py`, in one transaction with their incident; those to what is entered by hand here,
in one transaction with the entry.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import delete, select, tuple_, update

from service.record import schema
from service.record.database import Store, insert_new, reading, writing

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


async def claim_reply(store: Store, reply: Reply) -> Reply | None:
    """Takes the key for the transaction; who comes second waits for its end. The reply that is there already, or None:
    then the work is to be done, and `fill_reply` keeps its answer.
    """
    async with writing(store) as connection:
        claimed = await connection.execute(
            insert_new(schema.replies, connection.dialect).values(msgspec.structs.asdict(reply))
        )
        if claimed.rowcount:
            return None
        return await find_reply(connection, reply.tenant_id, reply.scope, reply.reply_key)


async def fill_reply(store: Store, reply: Reply, body: bytes) -> None:
    """Keeps the answer under the key that was claimed."""
    mine = (
        schema.replies.c.tenant_id == reply.tenant_id,
        schema.replies.c.scope == reply.scope,
        schema.replies.c.reply_key == reply.reply_key,
    )
    async with writing(store) as connection:
        await connection.execute(update(schema.replies).where(*mine).values(body=body))


async def purge_replies(database: Store, scope: Scope, before: datetime, limit: int = 1000) -> int:
    """Deletes the oldest replies of `scope` made before `before`, at most `limit`; returns how many went.

    Small batches keep other writers waiting only briefly: call again until it returns less than `limit`.
    """
    key = tuple_(schema.replies.c.tenant_id, schema.replies.c.scope, schema.replies.c.reply_key)
    oldest = (
        select(schema.replies.c.tenant_id, schema.replies.c.scope, schema.replies.c.reply_key)
        .where(schema.replies.c.scope == scope, schema.replies.c.created_at < before)
        .order_by(schema.replies.c.created_at)
        .limit(limit)
    )
    async with writing(database) as connection:
        return (await connection.execute(delete(schema.replies).where(key.in_(oldest)))).rowcount
