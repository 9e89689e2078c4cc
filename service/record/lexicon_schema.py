"""The tables of lexicons, policies, and the news of their changes, as the code sees them; see `schema.py`.

Revisions, versions and publications are only ever added. `lexicon_items` is the draft as its revisions leave it, kept in
the same transaction, so that nobody has to replay them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from service.record.columns import UtcDateTime, metadata

lexicons = Table(
    "lexicons",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("description", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    Column("revision", BigInteger, nullable=False),  # of the draft; whoever writes one holds this row
    Column("published_version", String),
    Column("published_revision", BigInteger),
    Column("published_at", UtcDateTime),
    Column("draft_id", String),  # its rows in `lexicon_items`; null: those of its own id
    Index(
        "ux_lexicons_tenant_id_name",
        "tenant_id",
        "name",
        unique=True,
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

lexicon_items = Table(
    "lexicon_items",
    metadata,
    Column("lexicon_id", String, nullable=False),  # or its `draft_id`
    Column("kind", String, nullable=False),
    Column("item_id", String, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("category", String, nullable=False),  # empty where it is switched off, likewise below
    Column("severity", String, nullable=False),
    Column("platforms", String, nullable=False),  # each between commas
    Column("pattern", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # JSON; empty where it is switched off
    PrimaryKeyConstraint("lexicon_id", "kind", "item_id"),
)

# Rows of `lexicon_items` that are no draft: one that is being written beside it, or that was replaced as a whole.
lexicon_leftovers = Table(
    "lexicon_leftovers",
    metadata,
    Column("draft_id", String, primary_key=True),
    Column("sweep_after", UtcDateTime, nullable=False),
)

lexicon_revisions = Table(
    "lexicon_revisions",
    metadata,
    Column("lexicon_id", String, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("item_id", String, nullable=False),
    Column("state", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("key_id", String, nullable=False),
    Column("reason", Text),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("lexicon_id", "revision"),
    Index(None, "lexicon_id", "kind", "item_id", "revision"),
)

lexicon_versions = Table(
    "lexicon_versions",
    metadata,
    Column("lexicon_id", String, nullable=False),
    Column("version", String, nullable=False),
    Column("content", LargeBinary, nullable=False),  # canonical JSON, deflated
    Column("size", Integer, nullable=False),  # terms and exceptions, those switched off too
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("lexicon_id", "version"),
)

lexicon_publications = Table(
    "lexicon_publications",
    metadata,
    Column("id", String, primary_key=True),
    Column("lexicon_id", String, nullable=False),
    Column("version", String, nullable=False),
    Column("action", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("note", Text),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "lexicon_id", "id"),
)

lexicon_cases = Table(
    "lexicon_cases",
    metadata,
    Column("id", String, primary_key=True),
    Column("lexicon_id", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("expect", String, nullable=False),
    Column("platform", String),
    Column("term_id", String),
    Column("key_id", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "lexicon_id", "id"),
)

policy_revisions = Table(
    "policy_revisions",
    metadata,
    Column("tenant_id", String, nullable=False),
    Column("platform", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("key_id", String, nullable=False),
    Column("reason", Text),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("tenant_id", "platform", "revision"),
)

# One row. Every change that must go live raises it in its own transaction and holds the row until it commits, so numbers
# become visible in their order and whoever has seen one has seen all before it.
news = Table(
    "news",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)

tenant_news = Table(
    "tenant_news",
    metadata,
    Column("tenant_id", String, primary_key=True),
    Column("number", BigInteger, nullable=False, index=True),  # of its last change
)

workers = Table(
    "workers",
    metadata,
    Column("id", String, primary_key=True),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False, index=True),
)

worker_versions = Table(
    "worker_versions",
    metadata,
    Column("worker_id", String, nullable=False),
    Column("tenant_id", String, nullable=False),
    Column("lexicon_version", String, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("problem", Text),
    PrimaryKeyConstraint("worker_id", "tenant_id"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("tenant_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("result", LargeBinary),
    Column("problem", Text),
    Column("key_id", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index(None, "tenant_id", "created_at"),
)
