"""What replay of the journal needs: other ids of an incident."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "incident_aliases",
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("incident_id", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_incident_aliases"),
    )
    op.create_index("ix_incident_aliases_tenant_id_incident_id", "incident_aliases", ["tenant_id", "incident_id"])


def downgrade() -> None:
    op.drop_table("incident_aliases")
