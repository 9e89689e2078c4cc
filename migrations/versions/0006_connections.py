"""Connections, their last calls, and how an incident came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "connections",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("shop_id", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("deadline_ms", sa.Integer),
        sa.Column("fail_action", sa.String, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("secret", sa.Text),
        sa.Column("previous_secret", sa.Text),
        sa.Column("previous_until", sa.DateTime(timezone=True)),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("previous_token", sa.Text),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
    )
    op.create_index("ix_connections_tenant_id_created_at_id", "connections", ["tenant_id", "created_at", "id"])
    op.create_table(
        "connection_calls",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("connection_id", sa.String, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.String, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("messages", sa.Integer, nullable=False),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.Column("reason", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_connection_calls"),
    )
    op.create_index("ix_connection_calls_connection_id_id", "connection_calls", ["connection_id", "id"])
    op.create_table(
        "hook_cursors",
        sa.Column("connection_id", sa.String, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("position", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "account", name="pk_hook_cursors"),
    )
    op.add_column("incidents", sa.Column("provider", sa.String))
    op.add_column("incidents", sa.Column("connection_id", sa.String))
    # With a default of the database's: the version before, which may still be serving, does not know the column.
    op.add_column("incidents", sa.Column("after_delivery", sa.Boolean, nullable=False, server_default=sa.false()))
    # Answers for chat tools' repeats are kept for hours, those for clients for days.
    op.create_index("ix_replies_scope_created_at", "replies", ["scope", "created_at"])
    op.drop_index("ix_replies_created_at", "replies")


def downgrade() -> None:
    op.create_index("ix_replies_created_at", "replies", ["created_at"])
    op.drop_index("ix_replies_scope_created_at", "replies")
    for column in ("after_delivery", "connection_id", "provider"):
        op.drop_column("incidents", column)
    op.drop_table("hook_cursors")
    op.drop_table("connection_calls")
    op.drop_table("connections")
