"""Sampled traffic, shadow differences and revisions of shops."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "tenant_settings",
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "revision", name="pk_tenant_settings"),
    )
    revisions = op.create_table(
        "shop_revisions",
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("shop_id", sa.String, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "shop_id", "revision", name="pk_shop_revisions"),
    )
    op.create_table(
        "traffic_samples",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_traffic_samples"),
    )
    op.create_index("ix_traffic_samples_tenant_id_at_id", "traffic_samples", ["tenant_id", "at", "id"])
    op.create_table(
        "shadows",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("lexicon_id", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("revision", sa.BigInteger),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_shadows"),
    )
    op.create_index("ix_shadows_tenant_id_lexicon_id_id", "shadows", ["tenant_id", "lexicon_id", "id"])
    op.create_table(
        "shadow_counts",
        sa.Column("shadow_id", sa.String, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("live", sa.BigInteger, nullable=False),
        sa.Column("shadow", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("shadow_id", "day", "kind", "name", name="pk_shadow_counts"),
    )
    op.create_table(
        "shadow_examples",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("shadow_id", sa.String, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("platform", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("before", sa.String, nullable=False),
        sa.Column("after", sa.String, nullable=False),
        sa.Column("terms", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shadow_examples"),
    )
    op.create_index("ix_shadow_examples_shadow_id_before_after", "shadow_examples", ["shadow_id", "before", "after"])
    op.create_index("ix_shadow_examples_tenant_id_at", "shadow_examples", ["tenant_id", "at"])
    first_revisions(revisions)


def first_revisions(revisions: sa.Table) -> None:
    """The shops that are there already are their own first revision."""
    fields = ("shop_id", "platform", "timezone", "ladders", "assets")
    shops = sa.table(
        "shops",
        sa.column("tenant_id"),
        *(sa.column(name, sa.JSON() if name in ("ladders", "assets") else None) for name in fields),
        sa.column("updated_at", MOMENT),
    )
    rows = [
        {
            "tenant_id": row.tenant_id,
            "shop_id": row.shop_id,
            "revision": 1,
            "body": json.dumps({name: getattr(row, name) for name in fields}, ensure_ascii=False).encode(),
            "key_id": "",
            "at": row.updated_at,
        }
        for row in op.get_bind().execute(sa.select(shops))
    ]
    if rows:
        op.bulk_insert(revisions, rows)


def downgrade() -> None:
    for table in (
        "shadow_examples", "shadow_counts", "shadows", "traffic_samples", "shop_revisions", "tenant_settings",
    ):  # fmt: skip
        op.drop_table(table)
