"""The tables, as the code sees them. `migrations/` builds the same ones; a test compares the two.

Only `api_keys` refers to `tenants`: every other tenant id comes out of a key that was looked up, and the hot
path need not prove it again row by row.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """Aware in, aware (UTC) out, to the microsecond.

    PostgreSQL has a type for that. SQLite keeps text of fixed width in UTC, which sorts as time does.
    A naive time raises ValueError.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times must be aware; give them a time zone before they are stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Names by rule, so that a later migration can drop a constraint by its name on either database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

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
    Column("created_at", UtcDateTime, nullable=False, index=True),
    PrimaryKeyConstraint("tenant_id", "scope", "reply_key"),
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
