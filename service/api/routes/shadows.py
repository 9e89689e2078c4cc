"""`/v1/lexicons/{name}/shadow`: a version beside the one in service, which says what it would decide and decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from uuid_utils import uuid7

from service.api.parameters import STRICT, AuditReason, Body, Stored, errors
from service.api.routes.lexicons import Editor, LexiconName, refuse_shipped
from service.api.routes.publishing import Note, PublicationOut, examine_draft, publication_out, refuse_unproven
from service.api.state import ServiceState
from service.errors import Conflict, NotFound, Stale
from service.record.audit import add_entry
from service.record.drafts import Author
from service.record.lexicons import get_lexicon
from service.record.shadows import (
    Both,
    CountName,
    Shadow,
    ShadowExample,
    end_shadow,
    last_shadow,
    read_shadow_counts,
    running_shadows,
    shadow_examples,
    start_shadow,
)
from service.record.versions import keep_version, promote, read_version
from service.vocabulary import ACTION_RANK, Action, Platform

router = APIRouter(prefix="/v1/lexicons/{name}/shadow", tags=["lexicons"], dependencies=STRICT)

MAX_SHOWN = 100
"""Examples of each way that a report shows."""


class ShadowBody(Body):
    """Which version to run."""

    version: Annotated[
        Annotated[str, Stored] | None,
        Field(max_length=128, description="As `versions` lists it; null: the draft as it is now."),
    ] = None


class PromoteBody(Body):
    """Nothing need be said."""

    note: Note | None = None


class ShadowChange(BaseModel):
    """A message that the shadow would have decided otherwise, masked as an incident is."""

    text: str
    platform: Platform
    before: Action = Field(description="As it was decided.")
    after: Action = Field(description="As the shadow would have decided it.")
    terms: list[str] = Field(description="What finds something on one side only.")
    at: datetime


class ShadowTerm(BaseModel):
    """In how many messages something was found on one side only."""

    term: str
    only_live: int
    only_shadow: int


class ShadowDay(BaseModel):
    """One day, in UTC."""

    day: date
    messages: int
    changed: int


class ShadowOut(BaseModel):
    """What a shadow has found so far; at most some seconds old."""

    version: str
    running: bool
    since: datetime
    until: datetime | None
    started_by: str = Field(description="The API key.")
    messages: int = Field(description="Compared.")
    skipped: int = Field(description="Not compared, because there was no time for it.")
    changed: int
    decisions: dict[str, int] = Field(description="`allow -> block` and so on, with how many.")
    days: list[ShadowDay]
    stricter: list[ShadowChange] = Field(description="The worst new hits first.")
    looser: list[ShadowChange]
    terms: list[ShadowTerm] = Field(description="The largest difference first.")


@router.post(
    "", status_code=201, responses=errors(400, 404, 409, 413, 415), summary="Run a version beside the one in service"
)
async def start(
    state: ServiceState, editor: Editor, name: LexiconName, body: ShadowBody, reason: AuditReason
) -> ShadowOut:
    """Every message is decided by what is in service; after its answer the shadow decides it too, and what differs is
    counted. A draft must be fit to be published. It takes the place of the shadow before; a tenant has one at a time.
    """
    refuse_shipped(name)
    database = state["database"]
    found_now = await get_lexicon(database, editor.tenant_id, name)
    packed, revision = None, None
    if body.version is None:
        examined = await examine_draft(state, editor.tenant_id, name, to_publish=True)
        refuse_unproven(examined.look)
        packed, revision = examined.packed, examined.look.revision
    version = packed.version if packed else (body.version or "").rpartition("@")[2]
    shadow = Shadow(
        id=str(uuid7()),
        tenant_id=editor.tenant_id,
        lexicon_id=found_now.id,
        version=version,
        revision=revision,
        key_id=editor.id,
        started_at=state["clock"].now(),
    )
    async with database.write() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        refuse_second(lexicon.id, await running_shadows(connection, editor.tenant_id))
        if packed is not None:
            await keep_version(connection, lexicon, packed, shadow.started_at)
        await read_version(connection, lexicon.id, version)
        if version == lexicon.published_version and lexicon.enabled:
            raise Conflict(f"{name} serves version {version} already", code="in_service")
        after = {"version": version}
        await add_entry(
            connection, editor.tenant_id, editor.id, shadow.started_at, "shadow.start", name, after=after, reason=reason
        )
        await start_shadow(connection, shadow)
    await state["watch"].catch_up(editor.tenant_id)
    return report_of(shadow, {}, [])


@router.get("", responses=errors(404), summary="What a shadow would have decided otherwise")
async def show(state: ServiceState, editor: Editor, name: LexiconName) -> ShadowOut:
    """Of the last shadow, even when it runs no more. Other workers' findings come within seconds."""
    refuse_shipped(name)
    async with state["database"].read() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name)
        shadow = found(await last_shadow(connection, lexicon.id), name)
        counts = await read_shadow_counts(connection, shadow.id)
        examples = await shadow_examples(connection, shadow.id)
    return report_of(shadow, counts, examples)


@router.delete("", status_code=204, responses=errors(404), summary="Stop a shadow")
async def stop(state: ServiceState, editor: Editor, name: LexiconName, reason: AuditReason) -> None:
    """What it has found can still be read."""
    refuse_shipped(name)
    now = state["clock"].now()
    async with state["database"].write() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        shadow = running(await last_shadow(connection, lexicon.id), name)
        before = {"version": shadow.version}
        await add_entry(connection, editor.tenant_id, editor.id, now, "shadow.stop", name, before=before, reason=reason)
        await end_shadow(connection, shadow, now)
    await state["watch"].catch_up(editor.tenant_id)


@router.post(
    "/promote", responses=errors(400, 404, 409, 413, 415), summary="Put the version that runs as a shadow in service"
)
async def put_in_service(
    state: ServiceState, editor: Editor, name: LexiconName, body: PromoteBody, reason: AuditReason
) -> PublicationOut:
    """A publication like any other: refused while lint or a case fails with it. The shadow ends."""
    refuse_shipped(name)
    found_now = await get_lexicon(state["database"], editor.tenant_id, name)
    shadow = running(await last_shadow(state["database"], found_now.id), name)
    refuse_unproven((await examine_draft(state, editor.tenant_id, name, to_publish=True, version=shadow.version)).look)
    now = state["clock"].now()
    async with state["database"].write() as connection:
        lexicon = await get_lexicon(connection, editor.tenant_id, name, lock=True)
        present = running(await last_shadow(connection, lexicon.id), name)
        if present.id != shadow.id:
            raise Stale("another shadow was started in the meantime; look at it again")
        after = {"version": shadow.version, "note": body.note}
        before = {"version": lexicon.published_version}
        await add_entry(
            connection,
            editor.tenant_id,
            editor.id,
            now,
            "shadow.promote",
            name,
            before=before,
            after=after,
            reason=reason,
        )
        author = Author(editor.id, now, reason)
        made = await promote(connection, lexicon, shadow.version, author, body.note, revision=shadow.revision)
        await end_shadow(connection, shadow, now)
    await state["watch"].catch_up(editor.tenant_id)
    return publication_out(made)


def refuse_second(lexicon_id: str, running_now: list[tuple[str, Shadow]]) -> None:
    others = [name for name, each in running_now if each.lexicon_id != lexicon_id]
    if others:
        raise Conflict(
            f"the shadow of {others[0]} runs; a tenant has one at a time, stop that first", code="shadow_runs"
        )


def found(shadow: Shadow | None, name: str) -> Shadow:
    """Raises NotFound where there never was one."""
    if shadow is None:
        raise NotFound(f"{name} has no shadow; start one with POST /v1/lexicons/{name}/shadow")
    return shadow


def running(shadow: Shadow | None, name: str) -> Shadow:
    """Raises NotFound where none runs."""
    if shadow is None or shadow.ended_at is not None:
        raise NotFound(f"{name} has no shadow that runs; start one with POST /v1/lexicons/{name}/shadow")
    return shadow


def report_of(shadow: Shadow, counts: Mapping[CountName, Both], examples: Sequence[ShadowExample]) -> ShadowOut:
    """What was counted, summed over the days, and the examples in order of their weight."""
    terms: dict[str, Both] = {}
    decisions: Counter[str] = Counter()
    days: dict[date, ShadowDay] = {}
    skipped = 0
    for name, both in sorted(counts.items()):
        day = days.setdefault(name.day, ShadowDay(day=name.day, messages=0, changed=0))
        if name.kind == "messages":
            day.messages += both.live
        elif name.kind == "skipped":
            skipped += both.live
        elif name.kind == "decision":
            day.changed += both.live
            decisions[name.name] += both.live
        else:
            known = terms.get(name.name, Both(0, 0))
            terms[name.name] = Both(known.live + both.live, known.shadow + both.shadow)
    shown = [example_out(each) for each in sorted(examples, key=lambda each: weight(each, terms), reverse=True)]
    by_difference = sorted(terms, key=lambda term: (-abs(terms[term].shadow - terms[term].live), term))
    return ShadowOut(
        version=shadow.version,
        running=shadow.ended_at is None,
        since=shadow.started_at,
        until=shadow.ended_at,
        started_by=shadow.key_id,
        messages=sum(day.messages for day in days.values()),
        skipped=skipped,
        changed=sum(day.changed for day in days.values()),
        decisions=dict(decisions.most_common()),
        days=list(days.values()),
        stricter=[each for each in shown if ACTION_RANK[each.after] > ACTION_RANK[each.before]][:MAX_SHOWN],
        looser=[each for each in shown if ACTION_RANK[each.after] < ACTION_RANK[each.before]][:MAX_SHOWN],
        terms=[
            ShadowTerm(term=term, only_live=terms[term].live, only_shadow=terms[term].shadow) for term in by_difference
        ][:MAX_SHOWN],
    )


def weight(example: ShadowExample, terms: Mapping[str, Both]) -> tuple[int, int, str]:
    """The larger step first, of those what the busiest term does, of those the newest."""
    step = abs(ACTION_RANK[example.after] - ACTION_RANK[example.before])
    busiest = max((max(terms.get(term, Both(0, 0))) for term in example.terms), default=0)
    return step, busiest, example.id


def example_out(example: ShadowExample) -> ShadowChange:
    return ShadowChange(
        text=example.text,
        platform=example.platform,
        before=example.before,
        after=example.after,
        terms=list(example.terms),
        at=example.at,
    )
