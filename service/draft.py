"""A draft as its editor looks at it: read with all that judges it, proved, and compared with what is in service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal

import msgspec

from service.lexicon.overlay import Content, Layer, version_of
from service.lexicon.term import ExceptionPhrase, Term
from service.lint import Complaint
from service.live import Live, changed_rules
from service.prove import ADVICE, Compile, Failure, Proof, Split, all_here, compile_here, prove
from service.record.cases import MAX_CASES, Case, list_cases
from service.record.database import Database
from service.record.drafts import Item, Kind, items_of, read_content
from service.record.lexicons import Lexicon, get_lexicon
from service.record.policies import PolicyRevision, list_policies
from service.record.versions import layer_of, read_layers, read_published, read_version, unpack
from service.vocabulary import Platform

MAX_SHOWN = 200
"""Complaints and failed cases that one answer names."""


@dataclass(frozen=True)
class Read:
    """One moment of a draft and of what is around it."""

    lexicon: Lexicon
    content: Content
    published: Content
    present: tuple[tuple[str, str, bytes], ...]
    """What of this lexicon is in service, as below; empty or one."""
    others: tuple[tuple[str, str, bytes], ...]
    """The tenant's other lexicons in service: name, version, packed content."""
    policies: dict[Platform, PolicyRevision]
    cases: tuple[Case, ...]

    @cached_property
    def draft(self) -> Layer:
        """Slow for a large draft: the version is the hash of all of it."""
        return Layer(self.lexicon.name, version_of(self.content.canonical()), self.content)


class Change(msgspec.Struct, frozen=True):
    """One difference."""

    kind: Kind
    id: str
    change: Literal["added", "changed", "removed"]
    before: Any
    after: Any
    """A term, an exception, `off`, or None where it is not there."""


async def read_draft(database: Database, tenant_id: str, name: str, version: str | None = None) -> Read:
    """All in one transaction; with `version` that instead of the draft. Raises NotFound."""
    async with database.read() as connection:
        lexicon = await get_lexicon(connection, tenant_id, name)
        layers = await read_layers(connection, tenant_id)
        cases, _ = await list_cases(connection, lexicon.id, limit=MAX_CASES)
        return Read(
            lexicon=lexicon,
            content=await read_content(connection, lexicon.items_id)
            if version is None
            else unpack(await read_version(connection, lexicon.id, version)),
            published=await read_published(connection, lexicon),
            present=tuple(each for each in layers if each[0] == name),
            others=tuple(each for each in layers if each[0] != name),
            policies=await list_policies(connection, tenant_id),
            cases=tuple(cases),
        )


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A draft beside what is in service, with what is wrong with it; of everything at most as much as one answer shows."""

    revision: int
    published_version: str | None
    draft_version: str
    changes: list[Change]
    more_changes: int
    complaints: list[Complaint]
    """Those that keep it from being published come first."""
    blocking: int
    failures: list[Failure]
    failed: int

    @property
    def publishable(self) -> bool:
        return not self.blocking and not self.failed


def prove_read(
    live: Live, read: Read, today: date, compile_words: Compile = compile_here, split: Split = all_here
) -> Proof:
    """Slow: decides every sentence that speaks for or against a word."""
    known = {platform: (each.change, each.revision) for platform, each in read.policies.items()}
    others = [layer_of(*each) for each in read.others]
    return prove(live, others, read.draft, changed_rules(live.shipped, known), read.cases, today, compile_words, split)


def look_at(read: Read, proof: Proof, limit: int) -> Look:
    """`limit` changes are shown."""
    changes = compare(read.published, read.content) if limit else []
    complaints = sorted(proof.complaints, key=lambda each: each.rule in ADVICE)
    return Look(
        revision=read.lexicon.revision,
        published_version=read.lexicon.published_version,
        draft_version=read.draft.version,
        changes=changes[:limit],
        more_changes=max(0, len(changes) - limit),
        complaints=complaints[:MAX_SHOWN],
        blocking=len(proof.blocking),
        failures=list(proof.failures[:MAX_SHOWN]),
        failed=len(proof.failures),
    )


def compare(before: Content, after: Content) -> list[Change]:
    """What differs, by kind and id."""
    old, new = ({(item.kind, item.id): item for item in items_of(content)} for content in (before, after))
    changes = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was is None or now is None or was.body != now.body:
            kind: Kind = key[0]
            change: Literal["added", "changed", "removed"] = (
                "added" if was is None else "removed" if now is None else "changed"
            )
            changes.append(Change(kind, key[1], change, shown(was), shown(now)))
    return changes


def shown(item: Item | None) -> Term | ExceptionPhrase | Literal["off"] | None:
    return None if item is None else item.body or "off"
