"""The tables of connections: which chat tools call us, and how their last calls went."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from service.record.columns import UtcDateTime, metadata

connections = Table(
    "connections",
    metadata,
    Column("id", String, nullable=False),
    Column("tenant_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("platform", String, nullable=False),
    Column("shop_id", String, nullable=False),
    Column("language", String, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("deadline_ms", Integer),
    Column("fail_action", String, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("secret", Text),  # encrypted, as all that follows
    Column("previous_secret", Text),
    Column("previous_until", UtcDateTime),
    Column("token", Text, nullable=False),
    Column("previous_token", Text),
    Column("revision", Integer, nullable=False),  # raised by every change: workers compare it
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("id"),
    Index(None, "tenant_id", "created_at", "id"),
)

connection_calls = Table(
    "connection_calls",
    metadata,
    Column("id", String, nullable=False),
    Column("connection_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("verdict", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("latency_ms", Float, nullable=False),
    Column("reason", String),
    PrimaryKeyConstraint("id"),
    Index(None, "connection_id", "id"),
)

# Up to where messages were fetched from a tool that only says that there are some.
hook_cursors = Table(
    "hook_cursors",
    metadata,
    Column("connection_id", String, nullable=False),
    Column("account", String, nullable=False),
    Column("position", String, nullable=False),
    PrimaryKeyConstraint("connection_id", "account"),
)
