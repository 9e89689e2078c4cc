"""The engines in service, each held by one reference, so that another one can take its place between two messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from service.engine import Engine
from service.lexicon.changes import PolicyChange, change_rules
from service.lexicon.load import load_snapshot
from service.lexicon.overlay import Layer, lay_over
from service.lexicon.policy import PlatformRules
from service.lexicon.snapshot import Snapshot
from service.vocabulary import Platform


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

    def compose(
        self, tenant_id: str, layers: Iterable[Layer], changes: Mapping[Platform, tuple[PolicyChange, int]]
    ) -> Engine:
        """The engine of a tenant with these lexicons and policies; what it has compiled already is used again.

        `changes` has each platform's change with its revision. Slow for a large lexicon. Raises DataError for words that
        cannot be compiled.
        """
        overlay = lay_over(layers)
        rules = changed_rules(self.shipped, changes)
        if not overlay.version and not rules:
            return self.engine
        present = self.engine_for(tenant_id)
        if overlay.version and present.lexicon_version == f"{self.engine.lexicon_version}+{overlay.version}":
            return replace(present, platforms={**self.engine.platforms, **rules})
        return self.engine.over(overlay, rules)


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
