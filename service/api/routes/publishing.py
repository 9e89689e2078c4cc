"""From a draft to what decides: difference, lint and cases, publication, versions, rollback."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from service.api.parameters import STRICT, AuditReason, Body, Cursor, Limit, Page, Stored, errors
from service.api.routes.cases import CaseOut, case_out
from service.api.routes.lexicons import Editor, LexiconName, refuse_shipped
from service.api.state import ServiceState
from service.api.words import IfMatch, revision_of, set_etag
from service.draft import Read, compare, prove_read, read_draft
from service.errors import Conflict, Problem, Stale
from service.prove import ADVICE, Failure, Proof
from service.record.audit import add_entry
from service.record.drafts import Author
from service.record.lexicons import get_lexicon
from service.record.versions import Publication, list_publications, pack, publish, roll_back

router = APIRouter(prefix="/v1/lexicons/{name}", tags=["lexicons"], dependencies=STRICT)

Note = Annotated[str, Field(max_length=512, description="Why, for those who read the versions."), Stored]
MAX_SHOWN = 200
"""Refusals that one answer names."""


class LintOut(BaseModel):
    """One thing that is wrong with a draft."""

    rule: str
    subject: str
    detail: str
    blocks: bool = Field(description="Whether it keeps the draft from being published.")


class FailedCase(BaseModel):
    """A case that would not turn out as it should."""

    case: CaseOut
    found: list[str] = Field(description="Ids of the terms, or names of the detectors, that found something.")


class ChangeOut(BaseModel):
    """One difference between a draft and what is in service."""

    kind: Literal["term", "exception"]
    id: str
    change: Literal["added", "changed", "removed"]
    before: Any
    after: Any


class DraftOut(BaseModel):
    """A draft beside what is in service."""

    revision: int
    version: str | None = Field(description="In service.")
    draft_version: str = Field(description="What the draft would be called.")
    changes: list[ChangeOut]
    more_changes: int = Field(description="Differences beyond `limit`.")
    lint: list[LintOut]
    failed_cases: list[FailedCase]
    publishable: bool


class PublishBody(Body):
    """Nothing need be said."""

    note: Note | None = None


class RollbackBody(Body):
    """Which version to go back to."""

    version: Annotated[
        Annotated[str, Stored] | None,
        Field(max_length=128, description="As `versions` lists it; null: the one before."),
    ] = None
    note: Note | None = None


class PublicationOut(BaseModel):
    """One time that a version went into service."""

    version: str
    action: Literal["publish", "rollback"]
    published_at: datetime
    key_id: str
    note: str | None


@router.get("/draft", responses=errors(404), summary="The draft beside what is in service, with lint and cases")
async def draft(
    state: ServiceState,
    editor: Editor,
    name: LexiconName,
    response: Response,
    limit: Annotated[int, Query(ge=0, le=1000, description="Differences that are shown.")] = 200,
) -> DraftOut:
    """Takes as long as trying every sentence does: a second for some thousand terms."""
    refuse_shipped(name)
    read, proof = await _prove(state, editor.tenant_id, name)
    changes = await asyncio.to_thread(compare, read.published, read.draft.content)
    set_etag(response, read.lexicon.revision)
    return DraftOut(
        revision=read.lexicon.revision,
        version=read.lexicon.published_version,
        draft_version=read.draft.version,
        changes=[ChangeOut(**msgspec.to_builtins(each)) for each in changes[:limit]],
        more_changes=max(0, len(changes) - limit),
        lint=lint_out(proof)[:MAX_SHOWN],
        failed_cases=failed_out(proof)[:MAX_SHOWN],
        publishable=not proof.blocking and not proof.failures,
    )


@router.post("/publish", responses=errors(400, 404, 409, 412, 413, 415), summary="Put the draft in service")
async def publish_draft(
    state: ServiceState,
    editor: Editor,
    name: LexiconName,
    body: PublishBody,
    reason: AuditReason,
    if_match: IfMatch = None,
) -> PublicationOut:
    """Live in this process when the answer comes, in every other within a second.

    Refused with `lint_failed` or `cases_failed`, each with its reasons, while something is wrong. With `If-Match` it is
    refused, 412, where the draft is no longer the one that was looked at.
    """
    refuse_shipped(name)
    read, proof = await _prove(state, editor.tenant_id, name)
    if if_match is not None and revision_of(if_match, read.lexicon.revision) != read.lexicon.revision:
        raise Stale(f"the draft is at revision {read.lexicon.revision} now; look at it again")
    refuse_unproven(proof)
    packed = await asyncio.to_thread(pack, read.draft.content)
    now = state["clock"].now()
    async with state["database"].write() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        author = Author(editor.id, now, reason)
        await add_entry(
            connection,
            editor.tenant_id,
            editor.id,
            now,
            "lexicon.publish",
            name,
            before={"version": lexicon.published_version},
            after={"version": packed.version, "size": packed.size, "note": body.note},
            reason=reason,
        )
        made = await publish(connection, lexicon, packed, author, body.note, revision=read.lexicon.revision)
    await state["watch"].catch_up()
    return publication_out(made)


@router.get("/versions", responses=errors(404), summary="What was in service and when, newest first")
async def versions(
    state: ServiceState, editor: Editor, name: LexiconName, limit: Limit = 50, cursor: Cursor = None
) -> Page[PublicationOut]:
    refuse_shipped(name)
    lexicon = await get_lexicon(state["database"], editor.tenant_id, name)
    found, following = await list_publications(state["database"], lexicon.id, limit=limit, cursor=cursor)
    return Page(items=list(map(publication_out, found)), next_cursor=following)


@router.post("/rollback", responses=errors(400, 404, 409, 413, 415), summary="Put an earlier version in service")
async def rollback(
    state: ServiceState, editor: Editor, name: LexiconName, body: RollbackBody, reason: AuditReason
) -> PublicationOut:
    """Nothing is tried before: it was in service once. The draft stays as it is."""
    refuse_shipped(name)
    now = state["clock"].now()
    version = body.version and body.version.rpartition("@")[2]
    async with state["database"].write() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        made = await roll_back(connection, lexicon, version, Author(editor.id, now, reason), body.note)
        await add_entry(
            connection,
            editor.tenant_id,
            editor.id,
            now,
            "lexicon.rollback",
            name,
            before={"version": lexicon.published_version},
            after={"version": made.version, "note": body.note},
            reason=reason,
        )
    await state["watch"].catch_up()
    return publication_out(made)


async def _prove(state: ServiceState, tenant_id: str, name: str) -> tuple[Read, Proof]:
    read = await read_draft(state["database"], tenant_id, name)
    today = state["clock"].now().date()
    return read, await asyncio.to_thread(prove_read, state["pipeline"].live, read, today)


def refuse_unproven(proof: Proof) -> None:
    """Raises Conflict with every complaint or failed case; a rule of the draft's form comes first."""
    if proof.blocking:
        problems = [Problem("", f"{each}") for each in proof.blocking[:MAX_SHOWN]]
        detail = f"{len(proof.blocking)} things are wrong with the draft; mend them, GET .../draft shows them all"
        raise Conflict(detail, code="lint_failed", problems=problems)
    if proof.failures:
        problems = [Problem("", sentence_of(each)) for each in proof.failures[:MAX_SHOWN]]
        detail = f"{len(proof.failures)} cases fail with the draft; mend it, or give the cases up"
        raise Conflict(detail, code="cases_failed", problems=problems)


def sentence_of(failure: Failure) -> str:
    case, found = failure.case, ", ".join(failure.found) or "nothing"
    return f"case {case.id}: 「{case.text[:80]}」 should {case.expect}, found: {found}"


def lint_out(proof: Proof) -> list[LintOut]:
    return [
        LintOut(rule=each.rule, subject=each.subject, detail=each.detail, blocks=each.rule not in ADVICE)
        for each in sorted(proof.complaints, key=lambda each: each.rule in ADVICE)
    ]


def failed_out(proof: Proof) -> list[FailedCase]:
    return [FailedCase(case=case_out(each.case), found=list(each.found)) for each in proof.failures]


def publication_out(made: Publication) -> PublicationOut:
    return PublicationOut(
        version=made.version, action=made.action, published_at=made.at, key_id=made.key_id, note=made.note
    )
