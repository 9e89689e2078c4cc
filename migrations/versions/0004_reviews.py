"""Appeals, reviews and claims of incidents; counts by hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"

COLUMNS = ("claimed_by", "claimed_until", "appeal_due_at", "reviewed_by", "reviewed_at", "reduced_to")


def upgrade() -> None:
    for name in COLUMNS:
        kind = sa.DateTime(timezone=True) if name.endswith(("_at", "_until")) else sa.String()
        op.add_column("incidents", sa.Column(name, kind))

    op.create_table(
        "appeals",
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("incident_id", sa.String, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "incident_id", name="pk_appeals"),
    )

    op.create_table(
        "reviews",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("incident_id", sa.String, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state_before", sa.String, nullable=False),
        sa.Column("verdict", sa.String, nullable=False),
        sa.Column("severity", sa.String),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("exception", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
    )
    op.create_index("ix_reviews_tenant_id_incident_id_at", "reviews", ["tenant_id", "incident_id", "at"])
    op.create_index("ix_reviews_tenant_id_at_id", "reviews", ["tenant_id", "at", "id"])

    op.create_table(
        "hourly_counts",
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("hour", sa.BigInteger, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("shop_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("allowed", sa.BigInteger, nullable=False),
        sa.Column("warned", sa.BigInteger, nullable=False),
        sa.Column("blocked", sa.BigInteger, nullable=False),
        sa.Column("upheld", sa.BigInteger, nullable=False),
        sa.Column("overturned", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "hour", "platform", "shop_id", "name", name="pk_hourly_counts"),
    )


def downgrade() -> None:
    for table in ("hourly_counts", "reviews", "appeals"):
        op.drop_table(table)
    for column in reversed(COLUMNS):
        op.drop_column("incidents", column)
