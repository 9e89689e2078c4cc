"""The engines in service, each held by one reference, so that another one can take its place between two messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import msgspec

from service import __version__
from service.compact.sections import Sections
from service.engine import Engine
from service.errors import DataError
from service.lexicon.changes import PolicyChange, change_rules
from service.lexicon.load import load_snapshot
from service.lexicon.overlay import Layer, lay_over
from service.lexicon.policy import PlatformRules
from service.lexicon.snapshot import Snapshot
from service.vocabulary import Platform

LARGE = 2_000
"""Terms and exceptions from which on a tenant's words are compiled beside this process, into a bundle, and only mapped here."""
FORMAT = 1
"""Of bundles. Raise it when compiled words are stored or read otherwise."""


class Live:
    """The shipped engine, and one over it for each tenant that has words or policies of its own.

    Whoever decides asks anew for each message, and keeps what it got until the message is decided.
    """

    def __init__(self, engine: Engine, shipped: Snapshot) -> None:
        self.engine = engine
        """Of the shipped data files alone."""
        self.shipped = shipped
        self._tenants: dict[str, Engine] = {}

    def engine_for(self, tenant_id: str) -> Engine:
        """The engine that decides this tenant's messages at this moment."""
        return self._tenants.get(tenant_id, self.engine)

    def swap(self, tenant_id: str, engine: Engine) -> None:
        """From the next message on the tenant has `engine`; messages under way end on the one that they began with."""
        if engine is self.engine:
            self._tenants.pop(tenant_id, None)
        else:
            self._tenants[tenant_id] = engine

    def compose(self, layers: Iterable[Layer], changes: Mapping[Platform, tuple[PolicyChange, int]]) -> Engine:
        """The engine of a tenant with these lexicons and policies.

        `changes` has each platform's change with its revision. Slow for a large lexicon. Raises DataError for words that
        cannot be compiled.
        """
        overlay = lay_over(layers)
        rules = changed_rules(self.shipped, changes)
        if not overlay.version and not rules:
            return self.engine
        return self.engine.over(overlay, rules)

    def key_of(self, overlay_version: str) -> str:
        """Names the bundle of those words: whatever goes into it besides them is named, too."""
        return sha256(f"{self._made_of} {overlay_version}".encode()).hexdigest()[:24]

    @cached_property
    def _made_of(self) -> str:
        tables = self.shipped.tables
        written = (tables.fold, tables.fold_many, tables.symbols, tables.syllables, self.shipped.corpus)
        digest = sha256(msgspec.msgpack.encode(written)).hexdigest()
        return f"{FORMAT} {__version__} {self.engine.lexicon_version} {digest}"

    def open(self, tenant_id: str, sections: Sections, changes: Mapping[Platform, tuple[PolicyChange, int]]) -> Engine:
        """The engine of a tenant's bundle, with these policies. Raises DataError for one that can't be read."""
        try:
            return self.engine.open(sections, changed_rules(self.shipped, changes))
        except (KeyError, ValueError, TypeError, msgspec.DecodeError) as error:
            raise DataError(f"the bundle of {tenant_id} can't be read ({type(error).__name__}); remove it") from error

    def keep(
        self, tenant_id: str, overlay_version: str, changes: Mapping[Platform, tuple[PolicyChange, int]]
    ) -> Engine | None:
        """The engine that the tenant has, with these policies, where its words are these already."""
        present = self.engine_for(tenant_id)
        if not overlay_version or present.lexicon_version != f"{self.engine.lexicon_version}+{overlay_version}":
            return None
        return replace(present, platforms={**self.engine.platforms, **changed_rules(self.shipped, changes)})


def changed_rules(
    shipped: Snapshot, changes: Mapping[Platform, tuple[PolicyChange, int]]
) -> dict[Platform, PlatformRules]:
    """The rules of the platforms that a tenant has changed."""
    return {
        platform: change_rules(shipped.platforms[platform], change, revision)
        for platform, (change, revision) in changes.items()
        if change.actions or change.fail_actions
    }


def load_live(folder: Path, cache: Path | None = None) -> Live:
    """The engine of the data files below `folder`, compiled here and now; `cache` makes the next start quicker.

    Raises DataError for a bad file.
    """
    shipped = load_snapshot(folder)
    return Live(Engine.compile(shipped, cache), shipped)
