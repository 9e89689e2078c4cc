"""Lexicons of tenants, policies with their revisions, the news of changes, what each worker serves, jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "lexicons",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("published_version", sa.String),
        sa.Column("published_revision", sa.BigInteger),
        sa.Column("published_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_lexicons"),
    )
    op.create_index(
        "ux_lexicons_tenant_id_name",
        "lexicons",
        ["tenant_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )

    op.create_table(
        "lexicon_items",
        sa.Column("lexicon_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("item_id", sa.String, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("platforms", sa.String, nullable=False),
        sa.Column("pattern", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("lexicon_id", "kind", "item_id", name="pk_lexicon_items"),
    )

    op.create_table(
        "lexicon_revisions",
        sa.Column("lexicon_id", sa.String, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("item_id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("lexicon_id", "revision", name="pk_lexicon_revisions"),
    )
    op.create_index(
        "ix_lexicon_revisions_lexicon_id_kind_item_id_revision",
        "lexicon_revisions",
        ["lexicon_id", "kind", "item_id", "revision"],
    )

    op.create_table(
        "lexicon_versions",
        sa.Column("lexicon_id", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("lexicon_id", "version", name="pk_lexicon_versions"),
    )

    op.create_table(
        "lexicon_publications",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("lexicon_id", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lexicon_publications"),
    )
    op.create_index("ix_lexicon_publications_lexicon_id_id", "lexicon_publications", ["lexicon_id", "id"])

    op.create_table(
        "lexicon_cases",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("lexicon_id", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("expect", sa.String, nullable=False),
        sa.Column("platform", sa.String),
        sa.Column("term_id", sa.String),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lexicon_cases"),
    )
    op.create_index("ix_lexicon_cases_lexicon_id_id", "lexicon_cases", ["lexicon_id", "id"])

    op.create_table(
        "policy_revisions",
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "platform", "revision", name="pk_policy_revisions"),
    )

    op.create_table(
        "news",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_news"),
    )

    op.create_table(
        "tenant_news",
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_tenant_news"),
    )
    op.create_index("ix_tenant_news_number", "tenant_news", ["number"])

    op.create_table(
        "workers",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    op.create_index("ix_workers_seen_at", "workers", ["seen_at"])

    op.create_table(
        "worker_versions",
        sa.Column("worker_id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("lexicon_version", sa.String, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.Text),
        sa.PrimaryKeyConstraint("worker_id", "tenant_id", name="pk_worker_versions"),
    )

    op.create_table(
        "jobs",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("result", sa.LargeBinary),
        sa.Column("problem", sa.Text),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_tenant_id_created_at", "jobs", ["tenant_id", "created_at"])


def downgrade() -> None:
    for table in (
        "jobs",
        "worker_versions",
        "workers",
        "tenant_news",
        "news",
        "policy_revisions",
        "lexicon_cases",
        "lexicon_publications",
        "lexicon_versions",
        "lexicon_revisions",
        "lexicon_items",
        "lexicons",
    ):
        op.drop_table(table)
