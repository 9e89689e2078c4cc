"""What the stores carry: bytes a row, incidents a second, deleting old ones beside new ones. python -m bench.capacity

Starts a server of its own, with a disk's real fsync, takes about three minutes, and keeps `results/capacity.json`, which
docs/scaling.md is written from (`python -m bench.scaling`). The load is the service's own writer with its ladders.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import msgspec
from sqlalchemy import text
from uuid_utils import uuid7

from bench.report import RESULTS, machine
from bench.shared import measure_redis
from service.engine import Engine
from service.lexicon.load import load_snapshot
from service.penalise.books import Books
from service.penalise.load import load_ladders
from service.record.database import Database
from service.record.incident import Incident
from service.record.migrate import upgrade
from service.record.outcome import outcome_of
from service.record.replies import Reply
from service.record.sent import Sent, incident_of
from service.record.storing import Entry
from service.record.withhold import for_retries
from service.record.writer import GroupWriter
from service.settings import shipped_lexicons
from service.text.message import Message
from tests.postgresql import run_server

TEXTS = (
    "亲，这款是高仿的，质量很好",
    "有问题加 薇.信：abc123",
    "亲，五星好评返现5元哦",
    "这款全网最低价，放心买",
    "你是不是有病啊",
)
ALLOWED = ("亲，您的订单已经安排发货了，预计后天到达",)
NUMBER = 20_000
"""Incidents that are written one by one, by so many callers at once:"""
CALLERS = 256
ROWS = 2_000_000
"""Incidents of a table that has grown."""
BATCH = 1_000
COPY = """INSERT INTO incidents SELECT fresh.* FROM incidents i,
generate_series({first}, {last}) n,
LATERAL jsonb_populate_record(i, jsonb_build_object(
    'id', gen_random_uuid()::text, 'created_at', i.created_at - make_interval(secs => n * 3),
    'repeat_key', md5(n::text || i.id), 'agent_id', 'agent-' || n % 5000)) fresh
WHERE i.id IN (SELECT id FROM incidents ORDER BY id LIMIT 1000)"""
REPLIES = "SELECT pg_total_relation_size('replies')"
OLD = """DELETE FROM incidents WHERE id IN (
    SELECT id FROM incidents WHERE tenant_id = 'default' ORDER BY created_at LIMIT :batch)"""


def main() -> None:
    """Measures, prints and keeps."""
    with run_server("-c shared_buffers=1GB -c max_wal_size=4GB") as server:
        server.execute("CREATE DATABASE capacity")
        url = server.url("capacity")
        upgrade(url)
        found = asyncio.run(measure(url, lambda *each: server.execute(*each, database="capacity")))
    found |= {name: round(value, 2) for name, value in measure_redis().items()}
    result = {"about": machine(), "figures": found}
    print(json.dumps(result, indent=1))
    (RESULTS / "capacity.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


async def measure(url: str, execute: Callable[..., None]) -> dict[str, float]:
    """Figure -> value; each name ends in its unit. `execute` runs what takes longer than the service may wait."""
    database = await Database.open(url)
    shipped = shipped_lexicons()
    engine, books = Engine.compile(load_snapshot(shipped)), Books(load_ladders(shipped))
    writer = GroupWriter(database, charging=books)
    writer.start()
    postmaster = parent_of(int(await one(database, "SELECT pg_backend_pid()")))
    found = await write(writer, engine, postmaster, "small_table")
    execute("VACUUM ANALYZE")
    for table, name in (("incidents", "incident"), ("incident_categories", "category"), ("replies", "reply")):
        found[f"{name}_bytes"] = await size_of(database, table)
    ledger = await one(database, "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname IN "
                                 "('ledger_entries', 'ledger_days', 'accounts', 'sanctions')")  # fmt: skip
    stored = await one(database, "SELECT count(*) FROM incidents")
    found["ledger_bytes_per_incident"] = round(ledger / stored)
    kept = await one(database, REPLIES)
    found |= await write(writer, engine, postmaster, "allowed_with_id", ALLOWED)
    execute("VACUUM ANALYZE replies")
    found["allowed_reply_bytes"] = (await one(database, REPLIES) - kept) / NUMBER
    execute(*(COPY.format(first=first + 1, last=first + 100) for first in range(0, ROWS // 1000, 100)))
    execute("VACUUM ANALYZE incidents")
    found["large_table_rows"] = await one(database, "SELECT count(*) FROM incidents")
    found["large_table_bytes"] = await one(database, "SELECT pg_total_relation_size('incidents')")
    found["large_table_index_bytes"] = await one(database, "SELECT pg_indexes_size('incidents')")
    found |= await write(writer, engine, postmaster, "large_table")
    deleting = asyncio.create_task(forget(database, 100))
    found |= await write(writer, engine, postmaster, "while_deleting")
    found["deleted_per_s_while_writing"] = await deleting
    found["deleted_per_s"] = await forget(database, 200)
    await writer.close()
    await database.close()
    return {name: round(value, 2) for name, value in found.items()}


async def write(
    writer: GroupWriter, engine: Engine, postmaster: int, name: str, texts: Sequence[str] = TEXTS
) -> dict[str, float]:
    """Incidents a second that became durable, and the processor time of each, here and in the server."""
    entries = [entry_of(engine, place, texts) for place in range(NUMBER)]

    async def caller(own: Sequence[Entry]) -> None:
        for entry in own:
            await writer.write(entry)

    began, ours, theirs = perf_counter(), process_time(), server_seconds(postmaster)
    await asyncio.gather(*(caller(entries[place::CALLERS]) for place in range(CALLERS)))
    return {
        f"{name}_incidents_per_s": NUMBER / (perf_counter() - began),
        f"{name}_service_ms": (process_time() - ours) / NUMBER * 1000,
        f"{name}_server_ms": (server_seconds(postmaster) - theirs) / NUMBER * 1000,
    }


def server_seconds(postmaster: int) -> float:
    """Processor time of the processes that a server has begun."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(") ")[2].split()
            if int(fields[1]) == postmaster:
                ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()[1])


async def forget(database: Database, batches: int) -> float:
    """Incidents a second that are deleted, oldest first."""
    began = perf_counter()
    for _ in range(batches):
        await run(database, OLD, batch=BATCH)
    return batches * BATCH / (perf_counter() - began)


def entry_of(engine: Engine, place: int, texts: Sequence[str]) -> Entry:
    """What a message with an id leaves behind; each of another agent, customer and conversation."""
    at = datetime.now(UTC) - timedelta(seconds=random.random() * 60)
    message = Message(f"{texts[place % len(texts)]} {place}", "pinduoduo", "chat", date.today())
    message_id = str(uuid7())
    sent = Sent(
        message=message, tenant_id="default", key_id=str(uuid7()), request_id=str(uuid7()), shop_id=f"shop-{place % 500}",
        agent_id=f"agent-{place % 5000}", conversation_id=str(uuid7()), customer_id=f"customer-{place}",
        message_id=message_id, sent_at=at, retry_keys=(("message", message_id),), fingerprint="0" * 64, explain=False,
        ladders=("kpi", "ten_point"),
    )  # fmt: skip
    decision = engine.decide(message)
    outcome = outcome_of(decision, message.text, sent.request_id, explain=False, degraded=(), latency_ms=0.5)
    incident: Incident | None = None
    if decision.action != "allow":
        incident_id = str(uuid7())
        outcome = msgspec.structs.replace(outcome, incident_id=incident_id, recorded="database")
        incident = incident_of(sent, decision, outcome, incident_id, at, keep_evidence=False)
    body = msgspec.json.encode(for_retries(outcome, keep_evidence=False))
    return Entry(incident, (Reply("default", "message", message_id, sent.fingerprint, body, at),))


async def size_of(database: Database, table: str) -> float:
    """Bytes for each row, indexes included."""
    total: float = await one(database, f"SELECT pg_total_relation_size('{table}') / count(*) FROM {table}")
    return total


async def one(database: Database, query: str) -> Any:
    async with database.read() as connection:
        return float((await connection.execute(text(query))).scalar_one())


async def run(database: Database, statement: str, **values: Any) -> None:
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement), values)


if __name__ == "__main__":
    main()
