"""The ledger: entries are added, never changed; beside them their sums by day, in the same transaction.

Whoever writes holds the account's row until the end of the transaction, so that entries of one account are made one
after the other on PostgreSQL, as they are on SQLite anyway. Locks are taken in one order everywhere: agents before
shops, then by tenant and id; and before any other row of the transaction.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Row,
    Select,
    String,
    bindparam,
    case,
    cast,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import NotFound
from service.record import schema
from service.record.account import Account
from service.record.cursor import broken, key_cursor, read_key_cursor
from service.record.database import Store, insert_new, insert_or_add, reading
from service.record.entry import DaySum, LedgerEntry

_entries = schema.ledger_entries
_days = schema.ledger_days
_accounts = schema.accounts

Numbers = dict[tuple[str, str], int]
"""Per tenant and account id, the number of its last entry; whoever holds the lock counts on from there."""
SumKey = tuple[str, str, str]
"""Tenant, account id, scheme."""


async def lock_accounts(
    connection: AsyncConnection, accounts: Iterable[Account], opened: Container[tuple[str, str]] = frozenset()
) -> Numbers:
    """Opens the accounts that are new, and holds all of them until the end of the transaction.

    `opened`: tenant and id of accounts that were there a while ago; only a database that was put back forgets them.
    """
    ordered = sorted({(each.kind, each.tenant_id, each.id): each for each in accounts}.items())
    if not ordered:
        return {}
    rows = [
        {
            "tenant_id": each.tenant_id,
            "id": each.id,
            "kind": each.kind,
            "shop_id": each.shop_id,
            "agent_id": each.agent_id,
            "last_seq": 0,
        }
        for _, each in ordered
    ]
    keys = [(row["tenant_id"], row["id"]) for row in rows]
    numbers: Numbers = {}
    for known in (opened, frozenset()):
        if new := [row for row, key in zip(rows, keys, strict=True) if key not in known]:
            await connection.execute(insert_new(_accounts, connection.dialect), new)
        held = await connection.execute(_HELD, {"keys": keys})
        numbers = {(tenant_id, own): last for tenant_id, own, last in held}
        if len(numbers) == len(keys):
            break
    return numbers


# These are made once: putting them together takes as long as running them.
_HELD = (
    select(_accounts.c.tenant_id, _accounts.c.id, _accounts.c.last_seq)
    .where(tuple_(_accounts.c.tenant_id, _accounts.c.id).in_(bindparam("keys", expanding=True)))
    .order_by(_accounts.c.kind, _accounts.c.tenant_id, _accounts.c.id)
    .with_for_update()
)
_COUNTED = update(_accounts).where(
    _accounts.c.tenant_id == bindparam("own_tenant"), _accounts.c.id == bindparam("own_id")
)


async def append_entries(connection: AsyncConnection, entries: Sequence[LedgerEntry]) -> None:
    """Adds entries of accounts that are locked, with their sums. `seq` must go on from the account's last."""
    if not entries:
        return
    await connection.execute(insert(_entries), [msgspec.structs.asdict(entry) for entry in entries])
    sums: dict[tuple[str, str, str, date, str], list[int]] = {}
    last: Numbers = {}
    for entry in entries:
        key = (entry.tenant_id, entry.account_id, entry.scheme, entry.day, entry.rule)
        sum_ = sums.setdefault(key, [0, 0, 0])
        for index, value in enumerate((entry.points, entry.money, entry.incidents)):
            sum_[index] += value
        last[entry.tenant_id, entry.account_id] = max(entry.seq, last.get((entry.tenant_id, entry.account_id), 0))
    names = ("tenant_id", "account_id", "scheme", "day", "rule", "points", "money", "incidents")
    rows = [dict(zip(names, (*key, *values), strict=True)) for key, values in sorted(sums.items())]
    await connection.execute(insert_or_add(_days, connection.dialect, ("points", "money", "incidents")), rows)
    counted = [{"own_tenant": tenant, "own_id": own, "last_seq": seq} for (tenant, own), seq in sorted(last.items())]
    await connection.execute(_COUNTED, counted)


def _sums(*, by_day: bool) -> Select[Any]:
    day = cast(_days.c.day, String)
    month = func.substr(day, 1, 7) + "-01"
    single = _days.c.scheme.in_(bindparam("single", expanding=True))
    bucket = (case((single, day), else_=month) if by_day else month).label("bucket")
    keys = (_days.c.tenant_id, _days.c.account_id, _days.c.scheme, _days.c.rule)
    added = (cast(func.sum(_days.c[name]), BigInteger) for name in ("points", "money", "incidents"))
    own = tuple_(_days.c.tenant_id, _days.c.account_id).in_(bindparam("accounts", expanding=True))
    found = select(*keys, bucket, *added).where(own, _days.c.day >= bindparam("since"))
    return found.group_by(*keys, text("bucket"))


_SUMS = {by_day: _sums(by_day=by_day) for by_day in (False, True)}


async def day_sums(
    store: Store, accounts: Iterable[tuple[str, str]], since: date, *, by_day: Iterable[str] = ()
) -> Mapping[SumKey, list[DaySum]]:
    """The sums from `since` on, of every scheme of the accounts (tenant, account id).

    A month's are one sum under its first day, but for the schemes `by_day`, of which each day's is one: adding up is
    quicker there than bringing a year of days here. `since` should be the first of a month.
    """
    single = sorted(by_day)
    values = {"accounts": sorted(set(accounts)), "since": since} | ({"single": single} if single else {})
    found: dict[SumKey, list[DaySum]] = {}
    async with reading(store) as connection:
        for tenant, account, scheme, rule, first, points, money, incidents in await connection.execute(
            _SUMS[bool(single)], values
        ):
            sum_ = DaySum(rule, date.fromisoformat(first), points, money, incidents)
            found.setdefault((tenant, account, scheme), []).append(sum_)
    return found


async def entries_of_incidents(store: Store, tenant_id: str, incident_ids: Sequence[str]) -> list[LedgerEntry]:
    """All that was entered about them, in any account, oldest first."""
    own = (_entries.c.tenant_id == tenant_id, _entries.c.incident_id.in_(incident_ids))
    return await _read(store, select(_entries).where(*own).order_by(_entries.c.account_id, _entries.c.seq))


async def entries_since(store: Store, tenant_id: str, account_id: str, scheme: str, day: date) -> list[LedgerEntry]:
    """An account's entries of a scheme, of `day` or later, in the order in which they were made."""
    own = (_entries.c.tenant_id == tenant_id, _entries.c.account_id == account_id)
    query = select(_entries).where(*own, _entries.c.day >= day, _entries.c.scheme == scheme)
    return await _read(store, query.order_by(_entries.c.seq))


async def get_entry(store: Store, tenant_id: str, entry_id: str) -> LedgerEntry:
    """Raises NotFound."""
    own = (_entries.c.tenant_id == tenant_id, _entries.c.id == entry_id)
    found = await _read(store, select(_entries).where(*own))
    if not found:
        raise NotFound(f"there is no ledger entry {entry_id}; list them at /v1/agents/{{id}}/ledger")
    return found[0]


async def find_reversal(store: Store, tenant_id: str, entry_id: str) -> LedgerEntry | None:
    """The entry that takes this one back."""
    own = (_entries.c.tenant_id == tenant_id, _entries.c.reversal_of == entry_id)
    found = await _read(store, select(_entries).where(*own))
    return found[0] if found else None


async def list_entries(
    store: Store,
    tenant_id: str,
    account_id: str,
    *,
    first: date,
    last: date,
    scheme: str | None = None,
    limit: int,
    cursor: str | None = None,
) -> tuple[list[LedgerEntry], str | None]:
    """A statement: at most `limit` entries of the days `first` to `last`, both included, by day and then as they were
    made; and the cursor of the next page or None. Raises Malformed for a broken cursor.
    """
    own = (_entries.c.tenant_id == tenant_id, _entries.c.account_id == account_id)
    position = tuple_(_entries.c.day, _entries.c.seq)
    query = select(_entries).where(*own, _entries.c.day.between(first, last)).order_by(_entries.c.day, _entries.c.seq)
    if scheme is not None:
        query = query.where(_entries.c.scheme == scheme)
    if cursor is not None:
        query = query.where(position > _read_cursor(cursor))
    found = await _read(store, query.limit(limit + 1))
    if len(found) <= limit:
        return found, None
    return found[:limit], key_cursor(found[limit - 1].day.isoformat(), str(found[limit - 1].seq))


async def accounts_of_agent(store: Store, tenant_id: str, agent_id: str) -> list[Account]:
    """The agent's accounts, one for each shop, by shop."""
    own = (_accounts.c.tenant_id == tenant_id, _accounts.c.agent_id == agent_id, _accounts.c.kind == "agent")
    async with reading(store) as connection:
        rows = await connection.execute(select(_accounts).where(*own).order_by(_accounts.c.shop_id))
        return [Account(row.tenant_id, row.kind, row.shop_id, row.agent_id) for row in rows]


async def _read(store: Store, query: Select[Any]) -> list[LedgerEntry]:
    async with reading(store) as connection:
        return [_entry(row) for row in await connection.execute(query)]


def _entry(row: Row[Any]) -> LedgerEntry:
    return LedgerEntry(**row._mapping)


def _read_cursor(cursor: str) -> tuple[date, int]:
    day, seq = read_key_cursor(cursor, 2)
    try:
        return date.fromisoformat(day), int(seq)
    except ValueError as error:
        raise broken() from error
