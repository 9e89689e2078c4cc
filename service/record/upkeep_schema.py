"""Tables that keep old promises: the names under which an incident was first spoken of."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table

from service.record.columns import UtcDateTime, metadata

# An id that an answer gave for what turned out to be one more attempt at, or a retry of, another incident.
incident_aliases = Table(
    "incident_aliases",
    metadata,
    Column("tenant_id", String, nullable=False),
    Column("id", String, nullable=False),
    Column("incident_id", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index(None, "tenant_id", "incident_id"),
)
