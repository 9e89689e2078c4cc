from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from service.record import schema
from service.record.database import Database


async def _round_trip(database: Database, moment: datetime) -> datetime:
    async with database.write() as connection:
        await connection.execute(insert(schema.tenants).values(id="t", created_at=moment))
        stored: datetime = (await connection.execute(select(schema.tenants.c.created_at))).scalar_one()
    return stored


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        datetime(2026, 3, 1, 0, 30, 0, 1, tzinfo=timezone(timedelta(hours=8))),
        datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
async def test_times_come_back_as_they_went_in(database: Database, moment: datetime) -> None:
    stored = await _round_trip(database, moment)
    assert stored == moment
    assert stored.utcoffset() == timedelta(0)


async def test_naive_times_are_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="aware"):
        await _round_trip(database, datetime(2026, 3, 1))


async def test_times_compare_as_times(database: Database) -> None:
    whole = datetime(2026, 3, 1, 12, tzinfo=UTC)
    await _round_trip(database, whole)
    async with database.read() as connection:
        later = select(schema.tenants.c.id).where(schema.tenants.c.created_at < whole + timedelta(microseconds=1))
        assert (await connection.execute(later)).scalar_one() == "t"
