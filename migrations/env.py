"""Runs the migrations on the connection that `service.record.migrate` hands over, in the transaction it
holds.
"""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # SQLite can roll DDL back too, once the driver leaves transactions to us.
    transactional_ddl=True,
)
context.run_migrations()
