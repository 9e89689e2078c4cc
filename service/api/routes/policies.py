"""`/v1/policies` and `/v1/convergence`: what each category means on a platform, and which worker serves what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from service.api.parameters import STRICT, AuditReason, Body, Cursor, Limit, Page, errors
from service.api.routes.lexicons import Editor
from service.api.state import ServiceState
from service.api.words import IfMatch, RevisionBody, over_of, set_etag
from service.lexicon.changes import PolicyChange, change_rules
from service.record.audit import add_entry
from service.record.drafts import Author
from service.record.news import news_since
from service.record.policies import (
    PolicyRevision,
    get_policy,
    get_policy_revision,
    list_policy_revisions,
    put_policy,
)
from service.record.workers import list_workers
from service.vocabulary import Action, Category, Platform, Severity

router = APIRouter(prefix="/v1", tags=["policies"], dependencies=STRICT)

Rows = dict[Category | Literal["*"], dict[Severity, Action]]
Marketplace = Annotated[Platform, Path(examples=["pinduoduo"])]


class PolicyBody(Body):
    """What is to differ from the shipped policy; what is not named is as shipped, and `{}` is all as shipped."""

    actions: Annotated[
        Rows, Field(description="Category (`*`: every other) to severity to action.", default_factory=dict)
    ]
    fail_actions: Annotated[
        dict[Category | Literal["*"], Action],
        Field(default_factory=dict, description="When a part could not be inspected."),
    ]


class PolicyOut(BaseModel):
    """The policy in force today."""

    platform: Platform
    revision: int = Field(description="0: as shipped; what `ETag` says, too.")
    policy: str = Field(description="As answers name it.")
    actions: Rows = Field(description="In force, the shipped rows with the changes.")
    fail_actions: dict[Category | Literal["*"], Action]
    changed: PolicyBody = Field(description="What differs from the shipped policy.")
    changed_at: datetime | None
    changed_by: str = Field(description="The API key; empty: as shipped.")


class PolicyRevisionOut(BaseModel):
    """One change of a policy."""

    revision: int
    changed: PolicyBody = Field(description="What differs from the shipped policy since then.")
    changed_at: datetime | None
    changed_by: str = Field(description="The API key.")
    reason: str | None


class WorkerOut(BaseModel):
    """One process that decides."""

    worker_id: str
    host: str
    pid: int
    version: str = Field(description="As its answers name it.")
    since: datetime
    up_to_date: bool
    problem: str | None = Field(description="Why it stayed with what it had.")


class Convergence(BaseModel):
    """Who serves what."""

    converged: bool = Field(description="Every worker serves the newest.")
    workers: list[WorkerOut]


@router.get("/policies/{platform}", responses=errors(404), summary="What a platform's policy says today")
async def show(state: ServiceState, editor: Editor, platform: Marketplace, response: Response) -> PolicyOut:
    found = await get_policy(state["database"], editor.tenant_id, platform)
    set_etag(response, found.revision)
    return policy_out(state, found)


@router.put("/policies/{platform}", responses=errors(400, 404, 412, 413, 415), summary="Change a platform's policy")
async def put(
    state: ServiceState,
    editor: Editor,
    platform: Marketplace,
    body: PolicyBody,
    reason: AuditReason,
    response: Response,
    if_match: IfMatch = None,
) -> PolicyOut:
    """In place of all changes before; live in this process when the answer comes, everywhere within a second."""
    change = msgspec.convert(body.model_dump(), PolicyChange)
    author = Author(editor.id, state["clock"].now(), reason)
    after = await _change(state, editor.tenant_id, platform, change, author, "policy.put", over_of(if_match))
    set_etag(response, after.revision)
    return policy_out(state, after)


@router.get("/policies/{platform}/revisions", responses=errors(404), summary="What was changed, newest first")
async def revisions(
    state: ServiceState, editor: Editor, platform: Marketplace, limit: Limit = 50, cursor: Cursor = None
) -> Page[PolicyRevisionOut]:
    found, following = await list_policy_revisions(
        state["database"], editor.tenant_id, platform, limit=limit, cursor=cursor
    )
    return Page(items=list(map(revision_out, found)), next_cursor=following)


@router.post(
    "/policies/{platform}/rollback",
    responses=errors(400, 404, 412, 413, 415),
    summary="Put a policy back as a revision left it",
)
async def rollback(
    state: ServiceState,
    editor: Editor,
    platform: Marketplace,
    body: RevisionBody,
    reason: AuditReason,
    response: Response,
    if_match: IfMatch = None,
) -> PolicyOut:
    """A change like any other: it makes a new revision. 0 is as shipped."""
    found = await get_policy_revision(state["database"], editor.tenant_id, platform, body.revision)
    author = Author(editor.id, state["clock"].now(), reason)
    over = over_of(if_match)
    after = await _change(state, editor.tenant_id, platform, found.change, author, "policy.rollback", over)
    set_etag(response, after.revision)
    return policy_out(state, after)


@router.get("/convergence", responses=errors(), summary="The version that each worker serves, and since when")
async def convergence(state: ServiceState, editor: Editor) -> Convergence:
    async with state["database"].read() as connection:
        newest = (await news_since(connection, 0)).get(editor.tenant_id, 0)
        found = await list_workers(connection, editor.tenant_id, state["clock"].now())
    shipped = state["pipeline"].live.engine.lexicon_version
    workers = [
        WorkerOut(
            worker_id=worker.id,
            host=worker.host,
            pid=worker.pid,
            version=serving.lexicon_version if serving else shipped,
            since=serving.since if serving else worker.started_at,
            up_to_date=(serving.number if serving else 0) >= newest and not (serving and serving.problem),
            problem=serving.problem if serving else None,
        )
        for worker, serving in found
    ]
    return Convergence(converged=all(worker.up_to_date for worker in workers), workers=workers)


async def _change(
    state: ServiceState,
    tenant_id: str,
    platform: Platform,
    change: PolicyChange,
    author: Author,
    action: str,
    over: int | None,
) -> PolicyRevision:
    """Puts the change in force with its audit entry, here before it returns. Raises Stale as `put_policy` does."""
    async with state["database"].write() as connection:
        before, after = await put_policy(connection, tenant_id, platform, change, author, over=over)
        await add_entry(
            connection,
            tenant_id,
            author.key_id,
            author.at,
            action,
            platform,
            before=before.change if before.revision else None,
            after=after.change,
            reason=author.reason,
        )
    await state["watch"].catch_up(tenant_id)
    return after


def policy_out(state: ServiceState, found: PolicyRevision) -> PolicyOut:
    rules = change_rules(state["pipeline"].live.shipped.platforms[found.platform], found.change, found.revision)
    policy = rules.policy_on(state["clock"].now().date())
    return PolicyOut(
        platform=found.platform,
        revision=found.revision,
        policy=f"{found.platform}@{policy.id}",
        actions={category: dict(row) for category, row in policy.actions.items()},
        fail_actions=dict(policy.fail_actions),
        changed=changed_out(found.change),
        changed_at=found.at,
        changed_by=found.key_id,
    )


def changed_out(change: PolicyChange) -> PolicyBody:
    return PolicyBody(**msgspec.to_builtins(change))


def revision_out(made: PolicyRevision) -> PolicyRevisionOut:
    return PolicyRevisionOut(
        revision=made.revision,
        changed=changed_out(made.change),
        changed_at=made.at,
        changed_by=made.key_id,
        reason=made.reason,
    )
