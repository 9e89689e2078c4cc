"""The tables, as the code sees them. `migrations/` builds the same ones; a test compares the two.

Only `api_keys` refers to `tenants`: every other tenant id comes out of a key that was looked up, and the hot
path need not prove it again row by row.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from service.record import connection_schema, lexicon_schema, outbox_schema, traffic_schema  # noqa: F401  same metadata
from service.record import upkeep_schema as upkeep_schema
from service.record.columns import UtcDateTime
from service.record.columns import metadata as metadata

tenants = Table(
    "tenants",
    metadata,
    Column("id", String, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, ForeignKey("tenants.id"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("key_hash", String, nullable=False, unique=True),  # SHA-256, hexadecimal; the key itself is nowhere
    Column("rate_limit", String),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("platform", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("shop_id", String, nullable=False),
    Column("agent_id", String, nullable=False),
    Column("conversation_id", String),
    Column("customer_id", String),
    Column("message_id", String),
    Column("decision", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("categories", JSON, nullable=False),
    Column("text", Text, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("lexicon_version", String, nullable=False),
    Column("policy_version", String, nullable=False),
    Column("override_reason", Text),
    Column("overridden_at", UtcDateTime),
    Column("repeat_key", String),
    Column("attempts", Integer, nullable=False, server_default="1"),
    Column("last_attempt_at", UtcDateTime),
    Column("claimed_by", String),
    Column("claimed_until", UtcDateTime),
    Column("appeal_due_at", UtcDateTime),
    Column("reviewed_by", String),
    Column("reviewed_at", UtcDateTime),
    Column("reduced_to", String),
    Column("provider", String),
    Column("connection_id", String),
    Column("after_delivery", Boolean, nullable=False, server_default=false()),
    Index(None, "tenant_id", "repeat_key"),
    Index(None, "tenant_id", "created_at", "id"),
    Index(None, "tenant_id", "shop_id", "created_at", "id"),
    Index(None, "tenant_id", "agent_id", "created_at", "id"),
    Index(None, "tenant_id", "state", "created_at", "id"),
)

incident_categories = Table(
    "incident_categories",
    metadata,
    Column("incident_id", String, ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    Column("tenant_id", String, nullable=False),
    Column("category", String, nullable=False),
    PrimaryKeyConstraint("incident_id", "category"),
    Index(None, "tenant_id", "category", "incident_id"),
)

replies = Table(
    "replies",
    metadata,
    Column("tenant_id", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("reply_key", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("tenant_id", "scope", "reply_key"),
    # Each scope is kept for days of its own.
    Index(None, "scope", "created_at"),
)

shops = Table(
    "shops",
    metadata,
    Column("tenant_id", String, nullable=False),
    Column("shop_id", String, nullable=False),
    Column("platform", String, nullable=False),
    Column("timezone", String, nullable=False),
    Column("ladders", JSON, nullable=False),
    Column("assets", JSON, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("tenant_id", "shop_id"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("action", String, nullable=False),
    Column("target", String, nullable=False),
    Column("before", JSON(none_as_null=True)),
    Column("after", JSON(none_as_null=True)),
    Column("reason", Text),
    Index(None, "tenant_id", "at", "id"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("tenant_id", String, nullable=False),
    Column("id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("shop_id", String, nullable=False),
    Column("agent_id", String, nullable=False),
    Column("last_seq", BigInteger, nullable=False),  # of its entries; whoever writes one holds this row
    PrimaryKeyConstraint("tenant_id", "id"),
    Index(None, "tenant_id", "agent_id"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("account_id", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("account_kind", String, nullable=False),
    Column("shop_id", String, nullable=False),
    Column("agent_id", String, nullable=False),
    Column("scheme", String, nullable=False),
    Column("side", String, nullable=False),
    Column("edition", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("incident_id", String),
    Column("points", BigInteger, nullable=False),
    Column("money", BigInteger, nullable=False),
    Column("incidents", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("reversal_of", String),
    Column("corrects", String),
    Column("key_id", String),
    Column("note", Text),
    UniqueConstraint("tenant_id", "account_id", "seq"),
    UniqueConstraint("reversal_of"),
    Index(None, "tenant_id", "account_id", "day", "seq"),
    Index(None, "tenant_id", "incident_id"),
    # An incident is charged once by a scheme, whatever else is said of it later.
    Index(
        "ux_ledger_entries_charge",
        "tenant_id",
        "incident_id",
        "scheme",
        "account_id",
        unique=True,
        sqlite_where=text("kind = 'charge'"),
        postgresql_where=text("kind = 'charge'"),
    ),
)

# The sums of `ledger_entries` by day, kept in the same transaction, so that a standing need not add up an account's life.
ledger_days = Table(
    "ledger_days",
    metadata,
    Column("tenant_id", String, nullable=False),
    Column("account_id", String, nullable=False),
    Column("scheme", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("rule", String, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("money", BigInteger, nullable=False),
    Column("incidents", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "account_id", "scheme", "day", "rule"),
    sqlite_with_rowid=False,  # what is read together lies together
)

sanctions = Table(
    "sanctions",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("account_id", String, nullable=False),
    Column("account_kind", String, nullable=False),
    Column("shop_id", String, nullable=False),
    Column("agent_id", String, nullable=False),
    Column("scheme", String, nullable=False),
    Column("side", String, nullable=False),
    Column("edition", String, nullable=False),
    Column("consequence", String, nullable=False),
    Column("occasion", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("number", Integer, nullable=False),
    Column("entry_id", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime),
    Column("lifted_at", UtcDateTime),
    Column("lifted_by", String),
    Column("lift_reason", Text),
    UniqueConstraint(
        "tenant_id", "account_id", "scheme", "consequence", "entry_id", "number", name="uq_sanctions_entry_id"
    ),
    Index(None, "tenant_id", "created_at", "id"),
    Index(None, "tenant_id", "account_id", "created_at"),
    # Those that end by themselves, for whoever tells that they have.
    Index(None, "ends_at", sqlite_where=text("lifted_at IS NULL"), postgresql_where=text("lifted_at IS NULL")),
)

appeals = Table(
    "appeals",
    metadata,
    Column("tenant_id", String, nullable=False),
    Column("incident_id", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("filed_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    PrimaryKeyConstraint("tenant_id", "incident_id"),  # once per incident
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("incident_id", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("state_before", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("severity", String),
    Column("note", Text, nullable=False),
    Column("exception", JSON(none_as_null=True)),
    Index(None, "tenant_id", "incident_id", "at"),
    Index(None, "tenant_id", "at", "id"),
)

# Counts by hour, for statistics: kept where they are made, so that nobody has to count incidents.
hourly_counts = Table(
    "hourly_counts",
    metadata,
    Column("tenant_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("hour", BigInteger, nullable=False),  # since 1970-01-01T00:00Z
    Column("platform", String, nullable=False),
    Column("shop_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("allowed", BigInteger, nullable=False),
    Column("warned", BigInteger, nullable=False),
    Column("blocked", BigInteger, nullable=False),
    Column("upheld", BigInteger, nullable=False),
    Column("overturned", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "kind", "hour", "platform", "shop_id", "name"),
)
