"""`/v1/lexicons/{name}/cases`: sentences that must hit and sentences that must not, tried at every publication."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.api.parameters import STRICT, AuditReason, Body, Cursor, Limit, Name, Page, Stored, errors
from service.api.routes.lexicons import Editor, LexiconName, refuse_shipped
from service.api.state import ServiceState
from service.record.audit import add_entry
from service.record.cases import Case, add_case, delete_case, list_cases, new_case
from service.record.lexicons import get_lexicon
from service.text.message import MAX_TEXT
from service.vocabulary import Platform

router = APIRouter(prefix="/v1/lexicons/{name}", tags=["lexicons"], dependencies=STRICT)


class CaseBody(Body):
    """A sentence with what must become of it at every publication."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT), Stored]
    expect: Literal["hit", "pass"]
    platform: Annotated[Platform | None, Field(description="Whose policy judges; null is `generic`.")] = None
    term_id: Annotated[
        Annotated[str, Stored] | None,
        Field(max_length=128, description="hit: this one must find it; pass: this one must not."),
    ] = None


class CaseOut(BaseModel):
    """A case as it is stored."""

    id: str
    text: str
    expect: Literal["hit", "pass"]
    platform: Platform | None
    term_id: str | None
    created_at: datetime


@router.get("/cases", responses=errors(404), summary="Cases, oldest first")
async def index_cases(
    state: ServiceState, editor: Editor, name: LexiconName, limit: Limit = 50, cursor: Cursor = None
) -> Page[CaseOut]:
    refuse_shipped(name)
    lexicon = await get_lexicon(state["database"], editor.tenant_id, name)
    found, following = await list_cases(state["database"], lexicon.id, limit=limit, cursor=cursor)
    return Page(items=list(map(case_out, found)), next_cursor=following)


@router.post("/cases", status_code=201, responses=errors(400, 404, 409, 413, 415), summary="Keep a case")
async def keep_case(
    state: ServiceState, editor: Editor, name: LexiconName, body: CaseBody, reason: AuditReason
) -> CaseOut:
    refuse_shipped(name)
    now = state["clock"].now()
    case = new_case(body.text, body.expect, body.platform, body.term_id, editor.id, now)
    async with state["database"].write() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        await add_case(connection, lexicon.id, case)
        target = f"{name}/{case.id}"
        await add_entry(connection, editor.tenant_id, editor.id, now, "case.add", target, after=case, reason=reason)
    return case_out(case)


@router.delete("/cases/{case_id}", status_code=204, responses=errors(404, 409), summary="Give a case up")
async def drop_case(state: ServiceState, editor: Editor, name: LexiconName, case_id: Name, reason: AuditReason) -> None:
    refuse_shipped(name)
    now = state["clock"].now()
    async with state["database"].write() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name)
        before = await delete_case(connection, lexicon.id, case_id)
        target = f"{name}/{case_id}"
        await add_entry(
            connection, editor.tenant_id, editor.id, now, "case.delete", target, before=before, reason=reason
        )


def case_out(case: Case) -> CaseOut:
    given = msgspec.structs.asdict(case)
    return CaseOut(**{field: given[field] for field in CaseOut.model_fields})
