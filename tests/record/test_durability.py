"""An acknowledged incident survives `kill -9` of the process that acknowledged it."""

from __future__ import annotations

import pytest

from service.record.database import Database
from service.record.incidents import get_incident
from service.record.replies import find_reply
from tests.record.factories import start_script

WRITER = """
import asyncio, sys
from service.record.database import Database
from service.record.storing import Entry
from service.record.writer import GroupWriter
from tests.record.factories import make_incident, make_reply

async def write_for_ever(writer):
    while True:
        incident = make_incident()
        await writer.write(Entry(incident, (make_reply(incident.id),)))
        sys.stdout.write(incident.id + "\\n")
        sys.stdout.flush()

async def main():
    writer = GroupWriter(await Database.open(sys.argv[1]))
    writer.start()
    await asyncio.gather(*(write_for_ever(writer) for _ in range(8)))

asyncio.run(main())
"""


@pytest.mark.parametrize("after", [1, 150])
async def test_kill_loses_nothing_that_was_acknowledged(database_url: str, after: int) -> None:
    with start_script(WRITER, database_url) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(after)]
        process.kill()
        acknowledged += process.stdout.readlines()
    ids = [line.strip() for line in acknowledged if line.endswith("\n")]
    assert len(ids) >= after

    database = await Database.open(database_url)
    for incident_id in ids:
        assert (await get_incident(database, "acme", incident_id)).categories == ("contact",)
        assert await find_reply(database, "acme", "message", incident_id) is not None
    await database.close()
