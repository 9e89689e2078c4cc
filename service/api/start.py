"""What must be true before the service answers: a place to write, a database with its tables, a first key."""

from __future__ import annotations

import asyncio
import gc
from datetime import timedelta
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from service.clock import Clock
from service.errors import DataError
from service.figures import Figures
from service.live import Live, load_live
from service.notify.deliverer import Deliverer
from service.notify.send import Sender
from service.outbound.addresses import parse_networks
from service.outbound.fetch import Fetcher
from service.record.database import Database
from service.record.keys import first_start
from service.record.migrate import current, head, upgrade
from service.record.sealed import Sealer
from service.settings import Settings


def prepare_folder(folder: Path) -> None:
    """Makes the data folder. Raises DataError, with what to do, where nothing can be written there."""
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise DataError(
            f"{folder.absolute()}: can't write here ({error.strerror}); "
            "give this user the right to, or set SHENYAN_DATA_DIR to another folder"
        ) from error


def compile_live(settings: Settings) -> Live:
    """The engine of the configured data files, without what compiling left behind. Raises DataError for a bad one."""
    # A million things are made here and all stay: looking for what can go again and again costs a tenth of a second.
    gc.disable()
    try:
        live = load_live(settings.lexicon_dir, settings.cache_dir)
    finally:
        gc.enable()
    gc.collect()
    return live


async def open_database(settings: Settings, clock: Clock) -> Database:
    """The database, migrated (SQLite) or checked to be current (PostgreSQL), with a first key in it.

    Safe when several processes start at once, and when done twice. Raises DataError for a schema that is not current,
    Unavailable when nobody answers.
    """
    prepare_folder(settings.data_dir)
    await asyncio.to_thread(bring_tables, settings.database_url)
    database = await Database.open(settings.database_url)
    try:
        admin_key = settings.admin_key.get_secret_value() if settings.admin_key else None
        await first_start(database, admin_key, settings.key_file, clock.now())
    except BaseException:
        await database.close()
        raise
    return database


def bring_tables(url: str) -> None:
    """SQLite is migrated; a shared database is only looked at, for others may be using it."""
    if url.startswith("sqlite"):
        upgrade(url)
    elif (found := current(url)) != (wanted := head()):
        raise DataError(
            f"the database is at revision {found or 'none'}, this version needs {wanted}; run `shenyan migrate` first"
        )


def open_webhooks(
    settings: Settings, database: Database, sealer: Sealer, clock: Clock, log: FilteringBoundLogger, figures: Figures
) -> Deliverer:
    """What sends events to those who want to hear of them."""
    attempts = figures.count(
        "shenyan_webhook_attempts", "Attempts to deliver an event, by what came of them.", "outcome"
    )
    attempts.values.update({(outcome,): 0 for outcome in ("delivered", "failed", "dead")})
    depth = 0

    def note(waiting: int) -> None:
        nonlocal depth
        depth = waiting

    figures.gauge("shenyan_outbox_depth", "Deliveries that wait, up to 100,000.", lambda: depth, merge="max")
    return Deliverer(
        database,
        Sender(parse_networks(settings.webhook_networks)),
        sealer,
        clock,
        log,
        public_url=settings.public_url,
        give_up_after=timedelta(days=settings.webhook_give_up_days),
        count=attempts.add,
        depth=note,
    )


def open_fetcher(settings: Settings) -> Fetcher | None:
    """What fetches pictures; None unless that is switched on."""
    if not settings.fetch_images:
        return None
    return Fetcher(settings.fetch_timeout, settings.fetch_max_bytes, parse_networks(settings.fetch_networks))
