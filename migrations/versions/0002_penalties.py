"""The penalty tracker: accounts, ledger, its sums by day, sanctions; and repeated attempts of an incident."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("incidents", sa.Column("repeat_key", sa.String))
    op.add_column("incidents", sa.Column("attempts", sa.Integer, nullable=False, server_default="1"))
    op.add_column("incidents", sa.Column("last_attempt_at", sa.DateTime(timezone=True)))
    op.create_index("ix_incidents_tenant_id_repeat_key", "incidents", ["tenant_id", "repeat_key"])

    op.create_table(
        "accounts",
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("shop_id", sa.String, nullable=False),
        sa.Column("agent_id", sa.String, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_accounts"),
    )
    op.create_index("ix_accounts_tenant_id_agent_id", "accounts", ["tenant_id", "agent_id"])

    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("account_kind", sa.String, nullable=False),
        sa.Column("shop_id", sa.String, nullable=False),
        sa.Column("agent_id", sa.String, nullable=False),
        sa.Column("scheme", sa.String, nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("edition", sa.String, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("incident_id", sa.String),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("money", sa.BigInteger, nullable=False),
        sa.Column("incidents", sa.Integer, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reversal_of", sa.String),
        sa.Column("corrects", sa.String),
        sa.Column("key_id", sa.String),
        sa.Column("note", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
        sa.UniqueConstraint("tenant_id", "account_id", "seq", name="uq_ledger_entries_tenant_id_account_id_seq"),
        sa.UniqueConstraint("reversal_of", name="uq_ledger_entries_reversal_of"),
    )
    op.create_index(
        "ix_ledger_entries_tenant_id_account_id_day_seq", "ledger_entries", ["tenant_id", "account_id", "day", "seq"]
    )
    op.create_index("ix_ledger_entries_tenant_id_incident_id", "ledger_entries", ["tenant_id", "incident_id"])
    op.create_index(
        "ux_ledger_entries_charge",
        "ledger_entries",
        ["tenant_id", "incident_id", "scheme", "account_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'charge'"),
        postgresql_where=sa.text("kind = 'charge'"),
    )

    op.create_table(
        "ledger_days",
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("scheme", sa.String, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("money", sa.BigInteger, nullable=False),
        sa.Column("incidents", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "account_id", "scheme", "day", "rule", name="pk_ledger_days"),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "sanctions",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("tenant_id", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("account_kind", sa.String, nullable=False),
        sa.Column("shop_id", sa.String, nullable=False),
        sa.Column("agent_id", sa.String, nullable=False),
        sa.Column("scheme", sa.String, nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("edition", sa.String, nullable=False),
        sa.Column("consequence", sa.String, nullable=False),
        sa.Column("occasion", sa.String, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("entry_id", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True)),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.Column("lifted_by", sa.String),
        sa.Column("lift_reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_sanctions"),
        sa.UniqueConstraint(
            "tenant_id", "account_id", "scheme", "consequence", "entry_id", "number", name="uq_sanctions_entry_id"
        ),
    )
    op.create_index("ix_sanctions_tenant_id_created_at_id", "sanctions", ["tenant_id", "created_at", "id"])
    op.create_index(
        "ix_sanctions_tenant_id_account_id_created_at", "sanctions", ["tenant_id", "account_id", "created_at"]
    )


def downgrade() -> None:
    for table in ("sanctions", "ledger_days", "ledger_entries", "accounts"):
        op.drop_table(table)
    op.drop_index("ix_incidents_tenant_id_repeat_key", "incidents")
    for column in ("last_attempt_at", "attempts", "repeat_key"):
        op.drop_column("incidents", column)
