"""Hours into the days, weeks and months of a calendar: how statistics are asked for and added up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AfterValidator, Field

from service.api.parameters import Moment, Stored
from service.api.routes.incidents import Word
from service.api.routes.shops import known_zone
from service.errors import Malformed, Problem
from service.penalise.window import zone_of
from service.record.database import Database
from service.record.hourly import HourFilters, Kind, Numbers, hour_of, read_counts
from service.vocabulary import Platform

Width = Literal["hour", "day", "week", "month"]
DEFAULT_DAYS: dict[Width, int] = {"hour": 2, "day": 30, "week": 84, "month": 366}
MAX_DAYS: dict[Width, int] = {"hour": 31, "day": 366, "week": 1830, "month": 3660}
MAX_ROWS = 20_000
"""Of one answer."""
HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """The counts of one name in one bucket."""

    start: datetime
    name: str
    numbers: Numbers


class Asked:
    """A dependency: what every statistics route takes. Raises Malformed for a range that is empty or too wide."""

    def __init__(
        self,
        bucket: Annotated[Width, Query(description="Weeks begin on Monday.")] = "day",
        since: Annotated[Moment | None, Query(description="Whole hours: the one that it lies in, included.")] = None,
        until: Annotated[Moment | None, Query(description="Default now; the hour that it lies in is included.")] = None,
        timezone: Annotated[
            str,
            Query(max_length=64, description="Whose days. Offsets of half an hour are taken as the whole hour before."),
            AfterValidator(known_zone),
        ] = "Asia/Shanghai",
        platform: Platform | None = None,
        shop_id: Word = None,
    ) -> None:
        self.bucket: Width = bucket
        self.since, self.until = since, until
        self.timezone = timezone
        self.platform, self.shop_id = platform, shop_id

    def range(self, now: datetime) -> tuple[int, int]:
        """First hour, and the one after the last."""
        until = self.until or now
        since = self.since or until - timedelta(days=DEFAULT_DAYS[self.bucket])
        first, end = hour_of(since), hour_of(until - timedelta(microseconds=1)) + 1
        if first >= end:
            raise Malformed(
                "The range is empty.", problems=[Problem("", "query parameter `since`: is not before `until`")]
            )
        if end - first > (MAX_DAYS[self.bucket] + 1) * 24:
            detail = f"query parameter `since`: at most {MAX_DAYS[self.bucket]} days for buckets of one {self.bucket}"
            raise Malformed("The range is too wide; take a wider bucket.", problems=[Problem("", detail)])
        return first, end


Named = Annotated[str | None, Query(min_length=1, max_length=256), Stored]
Count = Annotated[int, Field(ge=0)]


async def read_rows(
    database: Database, tenant_id: str, kind: Kind, asked: Asked, now: datetime, name: str | None = None
) -> list[Row]:
    """The counts by bucket and name; buckets in which nothing was counted are left out.

    Raises Malformed for more than MAX_ROWS.
    """
    first, end = asked.range(now)
    zone = zone_of(asked.timezone)
    found: dict[tuple[datetime, str], list[int]] = {}
    for start, stop, offset in even_pieces(first, end, zone):
        filters = HourFilters(first=start, end=stop, platform=asked.platform, shop_id=asked.shop_id, name=name)
        width, shift = (1, 0) if asked.bucket == "hour" else (24, offset)
        sums = await read_counts(
            database, tenant_id, kind, filters, width=width, offset=shift, limit=MAX_ROWS + 1 - len(found)
        )
        for each in sums:
            begins = begin_of(each.bucket, asked.bucket, zone)
            numbers = found.setdefault((begins, each.name), [0] * 5)
            for index, number in enumerate(each.numbers):
                numbers[index] += number
        if len(sums) + len(found) > MAX_ROWS:
            detail = "take a wider bucket, a shorter range, one shop or one name"
            raise Malformed(f"That are over {MAX_ROWS:,} rows.", problems=[Problem("", detail)])
    rows = [Row(begins, each, tuple(numbers)) for (begins, each), numbers in found.items()]  # type: ignore[arg-type]
    return sorted(rows, key=lambda row: (row.start, row.name))


def begin_of(number: int, bucket: Width, zone: tzinfo) -> datetime:
    """When a bucket begins, in `zone`. `number` counts hours from 1970-01-01T00:00Z, or else days from 1970-01-01."""
    if bucket == "hour":
        return (EPOCH + number * HOUR).astimezone(zone)
    day = EPOCH.date() + timedelta(days=number)
    if bucket == "week":
        day -= timedelta(days=day.weekday())
    elif bucket == "month":
        day = day.replace(day=1)
    return datetime.combine(day, time(), zone)


def even_pieces(first: int, end: int, zone: tzinfo) -> Iterator[tuple[int, int, int]]:
    """The hours from `first` to `end` in pieces in which the zone's offset stays the same: first, end, offset in hours."""
    start = first
    while start < end:
        offset = offset_at(start, zone)
        stop = start
        while stop < end and offset_at(stop, zone) == offset:
            # Nowhere does an offset last less than a day; where it has changed, look hour by hour.
            stop = stop + 24 if offset_at(min(stop + 24, end - 1), zone) == offset else stop + 1
        stop = min(stop, end)
        yield start, stop, offset
        start = stop


def offset_at(hour: int, zone: tzinfo) -> int:
    """Whole hours ahead of UTC."""
    offset = zone.utcoffset((EPOCH + hour * HOUR).astimezone(zone).replace(tzinfo=None)) or timedelta()
    return offset // HOUR


def quantile(counts: Sequence[int], bounds: Sequence[float], share: float) -> float | None:
    """The bound under which `share` of what was counted lies; None beyond the last bound. `counts` has one number for each
    bound and one for what is over.
    """
    rank = share * sum(counts)
    seen = 0
    for count, bound in zip(counts, bounds, strict=False):
        seen += count
        if seen >= rank:
            return bound
    return None
