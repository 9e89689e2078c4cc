"""Who wants to hear of events, the events, and what became of each on its way to each of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, String, Table, Text, text

from service.record.columns import UtcDateTime, metadata

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("envelope", String, nullable=False),
    Column("url_sealed", Text, nullable=False),  # a robot's address is a secret
    Column("url_shown", Text, nullable=False),
    Column("events", Text, nullable=False),  # types with blanks in between; * for all
    Column("description", Text, nullable=False),
    Column("secret_sealed", Text),
    Column("old_secret_sealed", Text),
    Column("old_secret_until", UtcDateTime),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text),
    Column("disabled_at", UtcDateTime),
    Column("failing_since", UtcDateTime),  # null once something was delivered
    Column("not_before", UtcDateTime),  # it asked for a pause, or is spared by us
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    Index(None, "tenant_id", "id"),
)

outbox_events = Table(
    "outbox_events",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),  # `data` as JSON
)

PENDING = text("state = 'pending'")
ENDED = text("state != 'pending'")
# The number is the database's: of two events of one subject the later one has the higher number, for whoever makes the
# second waits for the first one's lock.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String, nullable=False),
    Column("tenant_id", String, nullable=False),
    Column("endpoint_id", String, nullable=False),
    Column("event_id", String, nullable=False, index=True),
    Column("type", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_attempt_at", UtcDateTime),
    Column("last_attempt_at", UtcDateTime),
    Column("next_attempt_at", UtcDateTime, nullable=False),  # while somebody is at it: when the lease ends
    Column("lease", String),  # of the attempt that is under way
    Column("last_status", Integer),
    Column("last_error", Text),
    Column("last_latency_ms", Float),
    Column("finished_at", UtcDateTime),
    Index("ux_webhook_deliveries_id", "id", unique=True),
    Index(None, "endpoint_id", "number"),
    Index(
        "ix_webhook_deliveries_due", "endpoint_id", "next_attempt_at", sqlite_where=PENDING, postgresql_where=PENDING
    ),
    Index(
        "ix_webhook_deliveries_turn",
        "endpoint_id",
        "subject",
        "number",
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    ),
    Index("ix_webhook_deliveries_ended", "finished_at", sqlite_where=ENDED, postgresql_where=ENDED),
)

outbox_marks = Table(
    "outbox_marks",
    metadata,
    Column("name", String, primary_key=True),
    Column("at", UtcDateTime, nullable=False),  # how far a sweep has come
)
