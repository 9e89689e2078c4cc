"""Large imports are written beside the draft and take its place: where a draft's rows are, and which are nobody's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("lexicons", sa.Column("draft_id", sa.String))
    op.create_table(
        "lexicon_leftovers",
        sa.Column("draft_id", sa.String, nullable=False),
        sa.Column("sweep_after", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("draft_id", name="pk_lexicon_leftovers"),
    )


def downgrade() -> None:
    # Where a draft was replaced as a whole, its rows go back to where they were looked for before.
    op.execute(
        "DELETE FROM lexicon_items WHERE lexicon_id IN (SELECT draft_id FROM lexicon_leftovers)"
        " OR lexicon_id IN (SELECT id FROM lexicons WHERE draft_id IS NOT NULL AND draft_id <> id)"
    )
    op.execute(
        "UPDATE lexicon_items SET lexicon_id = (SELECT id FROM lexicons WHERE draft_id = lexicon_items.lexicon_id)"
        " WHERE lexicon_id IN (SELECT draft_id FROM lexicons WHERE draft_id IS NOT NULL)"
    )
    op.drop_table("lexicon_leftovers")
    op.drop_column("lexicons", "draft_id")
