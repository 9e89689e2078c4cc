"""The tables of what passes by and what shapes it: tenants' settings, sampled messages, shadows, revisions of shops."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from service.record.columns import UtcDateTime, metadata

# The last revision counts, as with policies.
tenant_settings = Table(
    "tenant_settings",
    metadata,
    Column("tenant_id", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),  # JSON
    Column("key_id", String, nullable=False),
    Column("reason", Text),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("tenant_id", "revision"),
)

shop_revisions = Table(
    "shop_revisions",
    metadata,
    Column("tenant_id", String, nullable=False),
    Column("shop_id", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", LargeBinary),  # JSON; null: the shop was deleted
    Column("key_id", String, nullable=False),  # empty: it was there before revisions were kept
    Column("reason", Text),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("tenant_id", "shop_id", "revision"),
)

traffic_samples = Table(
    "traffic_samples",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("platform", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "tenant_id", "at", "id"),
)

shadows = Table(
    "shadows",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("lexicon_id", String, nullable=False),
    Column("version", String, nullable=False),
    Column("revision", BigInteger),  # of the draft, where it is the draft that runs
    Column("key_id", String, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index(None, "tenant_id", "lexicon_id", "id"),
)

# What differed, summed: how often something was so in service, and how often beside it.
shadow_counts = Table(
    "shadow_counts",
    metadata,
    Column("shadow_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("live", BigInteger, nullable=False),
    Column("shadow", BigInteger, nullable=False),
    PrimaryKeyConstraint("shadow_id", "day", "kind", "name"),
)

shadow_examples = Table(
    "shadow_examples",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("shadow_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("platform", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("before", String, nullable=False),
    Column("after", String, nullable=False),
    Column("terms", JSON, nullable=False),
    Index(None, "shadow_id", "before", "after"),
    Index(None, "tenant_id", "at"),
)
