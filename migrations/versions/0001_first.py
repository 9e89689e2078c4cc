"""The first tables: tenants and keys, incidents, stored replies, shops, the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("key_hash", sa.String, nullable=False),
        sa.Column("rate_limit", sa.String),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_api_keys_tenant_id"),
    )
    op.create_index("ix_api_keys_tenant_id", "api_keys", ["tenant_id"])

    op.create_table(
        "incidents",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("shop_id", sa.String, nullable=False),
        sa.Column("agent_id", sa.String, nullable=False),
        sa.Column("conversation_id", sa.String),
        sa.Column("customer_id", sa.String),
        sa.Column("message_id", sa.String),
        sa.Column("decision", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("categories", sa.JSON, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("lexicon_version", sa.String, nullable=False),
        sa.Column("policy_version", sa.String, nullable=False),
        sa.Column("override_reason", sa.Text),
        sa.Column("overridden_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_index("ix_incidents_tenant_id_created_at_id", "incidents", ["tenant_id", "created_at", "id"])
    for column in ("shop_id", "agent_id", "state"):
        op.create_index(
            f"ix_incidents_tenant_id_{column}_created_at_id",
            "incidents",
            ["tenant_id", column, "created_at", "id"],
        )

    op.create_table(
        "incident_categories",
        sa.Column("incident_id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "category", name="pk_incident_categories"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name="fk_incident_categories_incident_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_incident_categories_tenant_id_category_incident_id",
        "incident_categories",
        ["tenant_id", "category", "incident_id"],
    )

    op.create_table(
        "replies",
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("scope", sa.String, nullable=False),
        sa.Column("reply_key", sa.String, nullable=False),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "scope", "reply_key", name="pk_replies"),
    )
    op.create_index("ix_replies_created_at", "replies", ["created_at"])

    op.create_table(
        "shops",
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("shop_id", sa.String, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("timezone", sa.String, nullable=False),
        sa.Column("ladders", sa.JSON, nullable=False),
        sa.Column("assets", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "shop_id", name="pk_shops"),
    )

    op.create_table(
        "audit_log",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("before", sa.JSON),
        sa.Column("after", sa.JSON),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_tenant_id_at_id", "audit_log", ["tenant_id", "at", "id"])


def downgrade() -> None:
    for table in ("audit_log", "shops", "replies", "incident_categories", "incidents", "api_keys", "tenants"):
        op.drop_table(table)
