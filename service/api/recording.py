"""What makes incidents last: the group writer, the journal behind it, and who brings the one into the other."""

from __future__ import annotations

from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from service.api.metrics import Metrics
from service.api.vitals import Vitals
from service.clock import Clock
from service.errors import Unavailable
from service.record.charging import Charging
from service.record.database import Database
from service.record.journal.journal import Journal
from service.record.replay import Replayer
from service.record.writer import GroupWriter
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Recording:
    """`start` before the first message, `close` after the last."""

    database: Database
    writer: GroupWriter
    journal: Journal
    replayer: Replayer

    async def start(self) -> None:
        await self.replayer.start()
        self.writer.start()

    async def close(self) -> None:
        """Writes what waits, into the database or the journal."""
        await self.writer.close()
        await self.replayer.close()

    async def store_problem(self) -> str:
        """What is wrong with the database; empty when it takes incidents."""
        if not self.writer.breaker.is_closed:
            return self.writer.breaker.reason
        try:
            await self.database.ping()
        except Unavailable as error:
            return error.detail
        return ""


def open_recording(
    settings: Settings,
    database: Database,
    charging: Charging,
    clock: Clock,
    log: FilteringBoundLogger,
    metrics: Metrics,
) -> Recording:
    """The parts, not started, with their figures."""
    figures = metrics.figures
    journal = Journal(settings.journal_dir, settings.journal_bytes)
    writer = GroupWriter(database, charging=charging, journal=journal, patience=settings.record_timeout)
    replayed = figures.count("shenyan_journal_replayed", "Entries brought from the journal into the database.")
    aside = figures.count("shenyan_journal_set_aside", "Journal records that cannot be replayed.", "reason")
    figures.gauge("shenyan_journal_records", "Entries that wait for the database.", lambda: journal.waiting)
    figures.gauge("shenyan_journal_bytes", "Their size in the journal.", lambda: journal.waiting_bytes)
    figures.gauge(
        "shenyan_journal_oldest_seconds", "How long the oldest has waited.", lambda: age(journal, clock), merge="max"
    )
    replayer = Replayer(database, writer, journal, log, replayed=replayed.add, aside=aside.add)
    return Recording(database, writer, journal, replayer)


def watch_recording(vitals: Vitals, recording: Recording) -> None:
    """A line in the log and a gauge when the database or the journal is lost, and when it is back."""
    vitals.watch("database_well", lambda: recording.writer.breaker.is_closed, "1: incidents go to the database.")
    vitals.watch("journal_well", lambda: not recording.journal.problem, "1: the journal can be written.")


def age(journal: Journal, clock: Clock) -> float:
    """Seconds since the message of the oldest entry was decided; 0 when nothing waits, or the clock was set back."""
    return max(0.0, (clock.now() - journal.oldest).total_seconds()) if journal.oldest is not None else 0.0
