"""Webhook endpoints, events and their deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

PENDING = sa.text("state = 'pending'")
ENDED = sa.text("state != 'pending'")
STANDING = sa.text("lifted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("envelope", sa.String, nullable=False),
        sa.Column("url_sealed", sa.Text, nullable=False),
        sa.Column("url_shown", sa.Text, nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("secret_sealed", sa.Text),
        sa.Column("old_secret_sealed", sa.Text),
        sa.Column("old_secret_until", sa.DateTime(timezone=True)),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("disabled_reason", sa.Text),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.Column("failing_since", sa.DateTime(timezone=True)),
        sa.Column("not_before", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
    )
    op.create_index("ix_webhook_endpoints_tenant_id_id", "webhook_endpoints", ["tenant_id", "id"])

    op.create_table(
        "outbox_events",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_events"),
    )
    op.create_index("ix_outbox_events_at", "outbox_events", ["at"])

    deliveries = "webhook_deliveries"
    op.create_table(
        deliveries,
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("endpoint_id", sa.String, nullable=False),
        sa.Column("event_id", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_attempt_at", sa.DateTime(timezone=True)),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True)),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease", sa.String),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_error", sa.Text),
        sa.Column("last_latency_ms", sa.Float),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("number", name="pk_webhook_deliveries"),
    )
    op.create_index("ux_webhook_deliveries_id", deliveries, ["id"], unique=True)
    op.create_index("ix_webhook_deliveries_event_id", deliveries, ["event_id"])
    op.create_index("ix_webhook_deliveries_endpoint_id_number", deliveries, ["endpoint_id", "number"])
    for name, columns, where in (
        ("due", ["endpoint_id", "next_attempt_at"], PENDING),
        ("turn", ["endpoint_id", "subject", "number"], PENDING),
        ("ended", ["finished_at"], ENDED),
    ):
        op.create_index(
            f"ix_webhook_deliveries_{name}", deliveries, columns, sqlite_where=where, postgresql_where=where
        )

    op.create_table(
        "outbox_marks",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_outbox_marks"),
    )
    op.create_index("ix_sanctions_ends_at", "sanctions", ["ends_at"], sqlite_where=STANDING, postgresql_where=STANDING)


def downgrade() -> None:
    op.drop_index("ix_sanctions_ends_at", "sanctions")
    for table in ("outbox_marks", "webhook_deliveries", "outbox_events", "webhook_endpoints"):
        op.drop_table(table)
