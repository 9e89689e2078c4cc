"""Where agents and shops stand, month by month: standings, statements, and what a supervisor enters by hand."""

from __future__ import annotations

from datetime import date, datetime
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from pydantic import ConfigDict, Field
from starlette.responses import Response

from service.api.access import Requires
from service.api.parameters import STRICT, AuditReason, Body, Cursor, Limit, Name, Page, Stored, errors
from service.api.parameters import Word as Given
from service.api.penalty import EntryOut, SettledOut, StandingOut, entry_out, settled_fields, standing_out
from service.api.routes.incidents import Spoken, Word
from service.api.sheet import WantsCsv, as_sheet, sheet_response
from service.api.state import ServiceState, State
from service.errors import Conflict, Malformed, NotFound, Problem
from service.penalise.standings import read_standing
from service.penalise.window import local_day, month_of, zone_of
from service.record.account import Account, agent_account, shop_account
from service.record.audit import add_entry
from service.record.entry import LedgerEntry
from service.record.keys import ApiKey
from service.record.ledger import accounts_of_agent, list_entries
from service.record.replies import Reply, claim_reply, fill_reply
from service.record.shops import find_shops

router = APIRouter(prefix="/v1", tags=["penalties"], dependencies=STRICT)

Supervisor = Annotated[ApiKey, Depends(Requires("supervisor", "admin"))]
WhichShop = Annotated[Word, Query(description="Needed where the agent works for several, or for none yet.")]
Month = Annotated[
    str | None,
    Query(
        pattern=r"^2[01]\d\d-(0[1-9]|1[0-2])$", description="`2026-03`, in the shop's time zone; default this month."
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern="^[!-~]+$",
        description="A retry with the same key and content gets the stored answer; other content is refused, 409.",
    ),
]
MAX_POINTS = 10_000
MAX_CNY = 1_000_000
PAGE = 500
MAX_ROWS = 50_000
"""Of a statement as CSV."""
COLUMNS = (
    "seq", "day", "created_at", "shop_id", "agent_id", "scheme", "side", "edition", "kind", "rule", "points", "money_cny",
    "incident_id", "reversal_of", "corrects", "key_id", "note", "id",
)  # fmt: skip


class AdjustmentBody(Body):
    """Points or money that a supervisor enters by hand, or an earlier adjustment that is taken back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "shop_id": "shop-1",
                    "agent_id": "agent-7",
                    "scheme": "ten_point",
                    "points": -2,
                    "note": "协助培训新人，加回 2 分",
                },
                {"reverses": "01930b5e-7a4d-7c02-8a11-5d2e9b3c4f10", "note": "记错了人"},
            ]
        }
    )

    note: Annotated[str, Field(min_length=1, max_length=2000), Stored]
    shop_id: Given | None = None
    agent_id: Annotated[Given | None, Field(description="Left out for the shop's own account.")] = None
    scheme: Annotated[str | None, Field(pattern="^[a-z0-9][a-z0-9_.-]{0,63}$")] = None
    points: Annotated[
        int, Field(ge=-MAX_POINTS, le=MAX_POINTS, description="Counted against the account; negative gives back.")
    ] = 0
    money: Annotated[
        float, Field(ge=-MAX_CNY, le=MAX_CNY, description="CNY, to the fen; negative gives back.", allow_inf_nan=False)
    ] = 0
    day: Annotated[
        date | None,
        Field(description="In the shop's time zone, which decides the month; default today."),
    ] = None
    reverses: Annotated[
        Given | None, Field(description="Id of the adjustment that is taken back, instead of all that.")
    ] = None


@router.get("/agents/{agent_id}/standing", responses=errors(404), summary="Where an agent stands")
async def agent_standing(
    state: ServiceState, supervisor: Supervisor, spoken: Spoken, agent_id: Name, shop_id: WhichShop = None
) -> StandingOut:
    account = await account_of(state, supervisor.tenant_id, agent_id, shop_id)
    now, ladders = state["clock"].now(), state["books"].ladders
    return standing_out(await read_standing(state["database"], ladders, account, now), ladders, spoken, now)


@router.get("/shops/{shop_id}/standing", responses=errors(), summary="Where a shop stands")
async def shop_standing(state: ServiceState, supervisor: Supervisor, spoken: Spoken, shop_id: Name) -> StandingOut:
    """Its own account: mostly what the marketplace would do. A shop that nothing happened to stands at the beginning."""
    account = shop_account(supervisor.tenant_id, shop_id)
    now, ladders = state["clock"].now(), state["books"].ladders
    return standing_out(await read_standing(state["database"], ladders, account, now), ladders, spoken, now)


@router.get(
    "/agents/{agent_id}/ledger",
    response_model=Page[EntryOut],
    responses=errors(404) | as_sheet("A page of the month; as CSV all of it"),
    summary="An agent's statement of a month",
)
async def agent_ledger(
    state: ServiceState,
    supervisor: Supervisor,
    sheet: WantsCsv,
    agent_id: Name,
    shop_id: WhichShop = None,
    month: Month = None,
    scheme: Word = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[EntryOut] | Response:
    """By day, and then in the order in which the lines were made. `Accept: text/csv` gives the whole month as a file."""
    account = await account_of(state, supervisor.tenant_id, agent_id, shop_id)
    first, last = await days_of(state, account, month)
    if sheet:
        entries = await whole_statement(state, account, first, last, scheme)
        return sheet_response(f"ledger-{first:%Y-%m}", COLUMNS, [row_of(entry) for entry in entries])
    found, following = await list_entries(
        state["database"],
        account.tenant_id,
        account.id,
        first=first,
        last=last,
        scheme=scheme,
        limit=limit,
        cursor=cursor,
    )
    return Page(items=[entry_out(entry) for entry in found], next_cursor=following)


@router.post(
    "/ledger/adjustments", status_code=201, responses=errors(400, 404, 409, 413, 415), summary="Enter points by hand"
)
async def adjust(
    state: ServiceState,
    supervisor: Supervisor,
    spoken: Spoken,
    body: AdjustmentBody,
    reason: AuditReason,
    key: IdempotencyKey = None,
) -> SettledOut:
    """Adds an entry, or reverses an adjustment that was made before; sanctions follow in the same transaction. What an
    incident caused is taken back by reviewing the incident.
    """
    check(body)
    now, books = state["clock"].now(), state["books"]
    reply = key and reply_to(body, supervisor.tenant_id, key, now)
    async with state["database"].write() as connection:
        if reply and (known := await claim_reply(connection, reply)) is not None:
            if known.fingerprint != reply.fingerprint:
                raise Conflict(
                    "this Idempotency-Key was used for other content before; give each adjustment its own",
                    code="idempotency_conflict",
                )
            return SettledOut.model_validate_json(known.body)
        if body.reverses is not None:
            settled = await books.reverse(
                connection, supervisor.tenant_id, body.reverses, now, note=body.note, key_id=supervisor.id
            )
        else:
            settled = await books.adjust(
                connection,
                account_in(body, supervisor.tenant_id),
                body.scheme or "",
                now,
                points=body.points,
                money=round(body.money * 100),
                note=body.note,
                key_id=supervisor.id,
                day=body.day,
            )
        await add_entry(
            connection,
            supervisor.tenant_id,
            supervisor.id,
            now,
            "ledger.reverse" if body.reverses is not None else "ledger.adjust",
            settled.entries[0].id,
            after=settled.entries[0],
            reason=reason,
        )
        answer = SettledOut(**settled_fields(settled, books.ladders, spoken, now))
        if reply:
            await fill_reply(connection, reply, answer.model_dump_json().encode())
    return answer


def reply_to(body: AdjustmentBody, tenant_id: str, key: str, now: datetime) -> Reply:
    """What a retry is known by; its answer comes later."""
    content = f"adjustment {body.model_dump_json(exclude_unset=True)}"
    return Reply(tenant_id, "key", key, sha256(content.encode()).hexdigest(), b"", now)


def check(body: AdjustmentBody) -> None:
    """What the schema can't say. Raises Malformed."""
    entered = body.model_fields_set & {"shop_id", "agent_id", "scheme", "points", "money", "day"}
    problems = []
    if body.reverses is not None:
        problems += [Problem(f"/{name}", "does not go with `reverses`") for name in sorted(entered)]
    else:
        missing = [name for name in ("shop_id", "scheme") if getattr(body, name) is None]
        problems += [Problem(f"/{name}", "is required unless `reverses` is given") for name in missing]
        if not body.points and not round(body.money * 100):
            problems.append(Problem("", "gives neither points nor money; one of them must not be 0"))
    if abs(body.money * 100 - round(body.money * 100)) > 1e-6:
        problems.append(Problem("/money", "is CNY to the fen: two decimals at most"))
    if body.day is not None and not 2000 <= body.day.year <= 2199:
        problems.append(Problem("/day", "should lie in the years 2000 to 2199"))
    if problems:
        raise Malformed("The adjustment is not of the documented shape.", problems=problems)


def account_in(body: AdjustmentBody, tenant_id: str) -> Account:
    shop_id = body.shop_id or ""
    return agent_account(tenant_id, shop_id, body.agent_id) if body.agent_id else shop_account(tenant_id, shop_id)


async def account_of(state: State, tenant_id: str, agent_id: str, shop_id: str | None) -> Account:
    """The agent's account in the shop, or the only one there is. Raises NotFound, or Malformed where there are several."""
    if shop_id is not None:
        return agent_account(tenant_id, shop_id, agent_id)
    accounts = await accounts_of_agent(state["database"], tenant_id, agent_id)
    if not accounts:
        raise NotFound(
            f"nothing was ever charged to an agent {agent_id}; name the shop with ?shop_id= to see the start"
        )
    if len(accounts) > 1:
        shops = ", ".join(account.shop_id for account in accounts[:20])
        problem = Problem("", f"query parameter `shop_id`: the agent works for {shops}; name one")
        raise Malformed("The agent works for several shops.", problems=[problem])
    return accounts[0]


async def days_of(state: State, account: Account, month: str | None) -> tuple[date, date]:
    """First and last day of the month, by default of the one that it is now where the shop is."""
    if month is not None:
        window = month_of(date.fromisoformat(f"{month}-01"))
        return window.first, window.last
    key = (account.tenant_id, account.shop_id)
    shop = (await find_shops(state["database"], [key])).get(key)
    window = month_of(local_day(state["clock"].now(), zone_of(shop.timezone if shop else "Asia/Shanghai")))
    return window.first, window.last


async def whole_statement(
    state: State, account: Account, first: date, last: date, scheme: str | None
) -> list[LedgerEntry]:
    """All entries of the days. Raises Malformed for more than a spreadsheet should hold."""
    entries: list[LedgerEntry] = []
    cursor = None
    while True:
        page, cursor = await list_entries(
            state["database"],
            account.tenant_id,
            account.id,
            first=first,
            last=last,
            scheme=scheme,
            limit=PAGE,
            cursor=cursor,
        )
        entries += page
        if cursor is None:
            return entries
        if len(entries) >= MAX_ROWS:
            raise Malformed(f"The month has over {MAX_ROWS:,} entries; read it page by page as JSON.")


def row_of(entry: LedgerEntry) -> list[object]:
    """An entry by COLUMNS."""
    values = {name: getattr(entry, name, None) for name in COLUMNS}
    values |= {"day": entry.day.isoformat(), "money_cny": entry.money / 100}
    return [values[name] for name in COLUMNS]
