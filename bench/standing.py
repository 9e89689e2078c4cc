"""How long a standing takes with a million ledger entries: python -m bench.standing [--entries N] [--url URL]

Half of the entries are spread over a thousand agents, the other half is one shop's. Fills a new SQLite file, and the
test PostgreSQL if there is one; takes some minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time

from sqlalchemy import func, select, text
from uuid_utils import uuid7

from service.penalise.ladder import Ladders
from service.penalise.load import load_ladders
from service.penalise.standings import read_standing
from service.record import schema
from service.record.account import Account, agent_account, shop_account
from service.record.database import Database
from service.record.entry import LedgerEntry
from service.record.ledger import append_entries, lock_accounts
from service.record.migrate import upgrade
from service.record.shops import Shop, put_shop
from service.settings import shipped_lexicons
from tests.postgresql import run_server

AGENTS = 1000
DAYS = 365
READS = 500
NOW = datetime(2026, 12, 20, 4, tzinfo=UTC)
SHOP = shop_account("bench", "shop")


def entries(count: int) -> Iterator[LedgerEntry]:
    """`count` charges of the past year, in the order of their days."""
    draw = random.Random(7)
    seqs: dict[str, int] = {}
    for number in range(count):
        day = date(2026, 1, 1) + timedelta(days=number * DAYS // count)
        agent = f"agent-{draw.randrange(AGENTS)}"
        account = SHOP if number % 2 else agent_account("bench", "shop", agent)
        seqs[account.id] = seqs.get(account.id, 0) + 1
        shops = account.kind == "shop"
        yield LedgerEntry(
            id=str(uuid7()), tenant_id="bench", account_id=account.id, seq=seqs[account.id], account_kind=account.kind,
            shop_id="shop", agent_id=agent, scheme="taobao" if shops else "ten_point",
            side="platform" if shops else "shop", edition="2021-01", rule="serious" if shops else "attitude",
            kind="charge", incident_id=f"incident-{number}", points=12 if shops else 1, money=0, incidents=1, day=day,
            created_at=NOW,
        )  # fmt: skip


async def fill(database: Database, count: int) -> None:
    """The ledger by way of the store's own function, so that the sums are what they would be."""
    accounts: list[Account] = [SHOP, *(agent_account("bench", "shop", f"agent-{each}") for each in range(AGENTS))]
    async with database.write() as connection:
        await lock_accounts(connection, accounts)
        await put_shop(connection, "bench", Shop(shop_id="shop", platform="taobao", ladders=("ten_point",)), NOW)
    made = entries(count)
    while group := list(islice(made, 10_000)):
        async with database.write() as connection:
            await append_entries(connection, group)


async def measure(database: Database, ladders: Ladders) -> None:
    """Prints the times of standings, of an agent drawn at random and of the shop, one after the other."""
    draw = random.Random(8)
    async with database.read() as connection:
        count = (await connection.execute(select(func.count()).select_from(schema.ledger_entries))).scalar_one()
    print(f"  {count:,} entries")
    agents = [agent_account("bench", "shop", f"agent-{draw.randrange(AGENTS)}") for _ in range(READS)]
    for name, accounts in (("one of 1,000 agents", agents), ("the shop with half of all", [SHOP] * READS)):
        times = []
        used = process_time()
        for account in accounts:
            started = perf_counter()
            await read_standing(database, ladders, account, NOW)
            times.append((perf_counter() - started) * 1000)
        used = (process_time() - used) * 1000 / READS
        p99 = quantiles(times, n=100)[98]
        print(f"  {name}: median {median(times):.2f} ms, p99 {p99:.2f} ms; {used:.2f} ms of this process's CPU each")


async def run(url: str, count: int) -> None:
    await asyncio.to_thread(upgrade, url)
    database = await Database.open(url)
    try:
        started = perf_counter()
        await fill(database, count)
        print(f"{url.partition(':')[0]}: filled in {perf_counter() - started:.0f} s", flush=True)
        if not database.is_sqlite:
            async with database.write() as connection:
                await connection.execute(text("ANALYZE"))
        await measure(database, load_ladders(shipped_lexicons()))
    finally:
        await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.standing", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--url", help="a database to fill instead, without tables")
    options = parser.parse_args()
    if options.url:
        asyncio.run(run(options.url, options.entries))
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(f"sqlite+aiosqlite:///{Path(folder) / 'standing.db'}", options.entries))
    with run_server() as server:
        server.execute("CREATE DATABASE standing")
        asyncio.run(run(server.url("standing"), options.entries))


if __name__ == "__main__":
    main()
