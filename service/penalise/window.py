"""Which days count together: a calendar month, a calendar year, or the last so many days, as the shop's calendar has
them. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from service.penalise.ladder import Edition

# China has had one offset and no summer time since 1991: no need to ask a database of zones.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Days that count together, first and last included."""

    kind: Literal["month", "year", "days"]
    first: date
    last: date

    @property
    def key(self) -> str:
        """`2026-03`, `2026`, or `2026-02-20/2026-03-21`."""
        if self.kind == "month":
            return f"{self.first:%Y-%m}"
        return f"{self.first:%Y}" if self.kind == "year" else f"{self.first}/{self.last}"

    def before(self) -> Window:
        """The window that ends where this one begins."""
        return _window(self.kind, self.first - DAY, (self.last - self.first).days + 1)

    def after(self) -> Window:
        """The window that begins where this one ends."""
        length = (self.last - self.first).days + 1
        return _window(self.kind, self.last + DAY if self.kind != "days" else self.last + length * DAY, length)


def window_of(edition: Edition, day: date) -> Window:
    """The window that `day` lies in; for the last so many days, the one that ends with it."""
    return _window(edition.window, day, edition.days)


def month_of(day: date) -> Window:
    return _window("month", day, 0)


def zone_of(timezone_name: str) -> tzinfo:
    """The zone by its IANA name."""
    return SHANGHAI if timezone_name == "Asia/Shanghai" else ZoneInfo(timezone_name)


def local_day(moment: datetime, zone: tzinfo) -> date:
    """The calendar day of an aware `moment` in `zone`."""
    return moment.astimezone(zone).date()


def end_of(day: date, zone: tzinfo) -> datetime:
    """The first moment after `day` in `zone`, in UTC."""
    return datetime.combine(day + DAY, time(), zone).astimezone(UTC)


def _window(kind: Literal["month", "year", "days"], day: date, length: int) -> Window:
    if kind == "month":
        first = day.replace(day=1)
        return Window(kind, first, (first + 31 * DAY).replace(day=1) - DAY)
    if kind == "year":
        return Window(kind, date(day.year, 1, 1), date(day.year, 12, 31))
    return Window(kind, day - (length - 1) * DAY, day)
