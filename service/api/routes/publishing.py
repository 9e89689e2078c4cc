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
from service.draft import Look, look_at, prove_read, read_draft
from service.engines import is_large
from service.errors import Conflict, NotFound, Problem, Stale
from service.making import Examined, examine
from service.prove import ADVICE, Failure
from service.record.audit import add_entry
from service.record.drafts import Author, count_items
from service.record.lexicons import get_lexicon
from service.record.versions import (
    Placed,
    Publication,
    list_placed,
    list_publications,
    pack,
    publish,
    read_size,
    roll_back,
    version_before,
)

router = APIRouter(prefix="/v1/lexicons/{name}", tags=["lexicons"], dependencies=STRICT)

Note = Annotated[str, Field(max_length=512, description="Why, for those who read the versions."), Stored]


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
    look = (await examine_draft(state, editor.tenant_id, name, limit, to_publish=False)).look
    set_etag(response, look.revision)
    return DraftOut(
        revision=look.revision,
        version=look.published_version,
        draft_version=look.draft_version,
        changes=[ChangeOut(**msgspec.to_builtins(each)) for each in look.changes],
        more_changes=look.more_changes,
        lint=lint_out(look),
        failed_cases=failed_out(look),
        publishable=look.publishable,
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
    refused, 412, where the draft is no longer the one that was looked at. Sent again for the same draft it is the same
    publication; what is under way is not stopped by a client that hangs up.
    """
    refuse_shipped(name)
    examined = await examine_draft(state, editor.tenant_id, name, to_publish=True)
    look, packed = examined.look, examined.packed
    if if_match is not None and revision_of(if_match, look.revision) != look.revision:
        raise Stale(f"the draft is at revision {look.revision} now; look at it again")
    refuse_unproven(look)
    now = state["clock"].now()
    async with state["database"].write() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        if (lexicon.published_version, lexicon.published_revision) == (look.draft_version, look.revision):
            # Whoever did not wait for the answer asks again.
            return publication_out((await list_publications(connection, lexicon.id, limit=1))[0][0])
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
        made = await publish(connection, lexicon, packed, author, body.note, revision=look.revision)
    await state["watch"].catch_up(editor.tenant_id)
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
    await _prepare_rollback(state, editor.tenant_id, name, version)
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
    await state["watch"].catch_up(editor.tenant_id)
    return publication_out(made)


async def examine_draft(
    state: ServiceState, tenant_id: str, name: str, limit: int = 0, *, to_publish: bool, version: str | None = None
) -> Examined:
    """The draft, or a version as if it were the draft: lint, cases, and `limit` differences.

    A large one is examined by the workbench, a small one in a thread, for which it need not be started.
    """
    database, today = state["database"], state["clock"].now().date()
    async with database.read() as connection:
        lexicon = await get_lexicon(connection, tenant_id, name)
        others = [each for each in await list_placed(connection, tenant_id) if each.name != name]
        size = await (
            count_items(connection, lexicon.items_id) if version is None else read_size(connection, lexicon.id, version)
        )
        draft = Placed(lexicon.id, name, version or "", size)
    if is_large([*others, draft]):
        run, url = state["jobs"].workbench.run, state["settings"].database_url
        found = await run(examine, url, tenant_id, name, today, limit, to_publish, version)
        return msgspec.msgpack.decode(found, type=Examined)
    read = await read_draft(database, tenant_id, name, version)

    def work() -> Examined:
        proof = prove_read(state["pipeline"].live, read, today)
        return Examined(look_at(read, proof, limit), pack(read.content))

    return await asyncio.to_thread(work)


async def _prepare_rollback(state: ServiceState, tenant_id: str, name: str, version: str | None) -> None:
    """What will be in service lies ready before it is: mostly it was kept. What is wrong shows in the transaction."""
    async with state["database"].read() as connection:
        lexicon = await get_lexicon(connection, tenant_id, name)
        try:
            version = version or await version_before(connection, lexicon)
            size = await read_size(connection, lexicon.id, version)
        except (Conflict, NotFound):
            return
        others = [each for each in await list_placed(connection, tenant_id) if each.name != name]
    if lexicon.enabled:
        await state["watch"].engines.prepare(tenant_id, [*others, Placed(lexicon.id, name, version, size)])


def refuse_unproven(look: Look) -> None:
    """Raises Conflict with every complaint or failed case; a rule of the draft's form comes first."""
    if look.blocking:
        problems = [Problem("", f"{each}") for each in look.complaints[: look.blocking]]
        detail = f"{look.blocking} things are wrong with the draft; mend them, GET .../draft shows them all"
        raise Conflict(detail, code="lint_failed", problems=problems)
    if look.failed:
        problems = [Problem("", sentence_of(each)) for each in look.failures]
        detail = f"{look.failed} cases fail with the draft; mend it, or give the cases up"
        raise Conflict(detail, code="cases_failed", problems=problems)


def sentence_of(failure: Failure) -> str:
    case, found = failure.case, ", ".join(failure.found) or "nothing"
    return f"case {case.id}: 「{case.text[:80]}」 should {case.expect}, found: {found}"


def lint_out(look: Look) -> list[LintOut]:
    return [
        LintOut(rule=each.rule, subject=each.subject, detail=each.detail, blocks=each.rule not in ADVICE)
        for each in look.complaints
    ]


def failed_out(look: Look) -> list[FailedCase]:
    return [FailedCase(case=case_out(each.case), found=list(each.found)) for each in look.failures]


def publication_out(made: Publication) -> PublicationOut:
    return PublicationOut(
        version=made.version, action=made.action, published_at=made.at, key_id=made.key_id, note=made.note
    )
