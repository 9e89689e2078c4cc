"""The places up to which messages were fetched."""

from __future__ import annotations

from datetime import UTC, datetime

from service.record.connections import Connection, add_connection, delete_connection
from service.record.database import Database
from service.record.hook_cursors import keep_position, read_position


async def test_places_go_with_their_connection(database: Database) -> None:
    connection = Connection(
        id="c-1",
        tenant_id="default",
        name="",
        provider="wecom",
        platform="taobao",
        shop_id="s1",
        language="zh-CN",
        settings={},
        deadline_ms=None,
        fail_action="allow",
        secret=None,
        token="sealed",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    await add_connection(database, connection)
    await keep_position(database, "c-1", "kf1", "one")
    await keep_position(database, "c-1", "kf1", "two")
    await keep_position(database, "c-1", "kf2", "three")
    await keep_position(database, "c-2", "kf1", "four")
    assert await read_position(database, "c-1", "kf1") == "two"
    assert await read_position(database, "c-1", "kf2") == "three"
    assert await read_position(database, "c-3", "kf1") == ""
    await delete_connection(database, "default", "c-1")
    assert await read_position(database, "c-1", "kf1") == ""
    assert await read_position(database, "c-2", "kf1") == "four"
