"""What stands in the records of a journal."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from service.record.incident import Incident
from service.record.journal.frames import scan
from service.record.storing import Entry

DECODER = msgspec.msgpack.Decoder(Entry)


def find_in_files(files: Iterable[Path], tenant_id: str, incident_id: str) -> Incident | None:
    """The tenant's incident, if one of the journal files holds it. Files that cannot be read are passed over."""
    for path in files:
        with suppress(OSError), path.open("rb") as file:
            # Mostly there is nothing in them.
            if not file.read(1).strip(b"\0"):
                continue
            file.seek(0)
            data = file.read()
            for _, payload in scan(data).records if incident_id.encode() in data else ():
                with suppress(msgspec.DecodeError):
                    incident = DECODER.decode(payload).incident
                    if incident is not None and (incident.tenant_id, incident.id) == (tenant_id, incident_id):
                        return incident
    return None


def moment_of(entry: Entry, default: datetime | None) -> datetime:
    """When the message of an entry was decided."""
    if entry.incident is not None:
        return entry.incident.created_at
    if entry.replies:
        return entry.replies[0].created_at
    if default is None:
        raise ValueError("an entry without an incident and without replies")
    return default
