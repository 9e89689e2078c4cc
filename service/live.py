"""The engine in service, held by one reference, so that another one can take its place between two messages."""

from __future__ import annotations

from pathlib import Path

from service.engine import Engine
from service.lexicon.load import load_snapshot


class Live:
    """Whoever decides asks for `engine` anew for each message, and keeps that one until the message is decided."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine


def load_live(folder: Path, cache: Path | None = None) -> Live:
    """The engine of the data files below `folder`, compiled here and now; `cache` makes the next start quicker.

    Raises DataError for a bad file.
    """
    return Live(Engine.compile(load_snapshot(folder), cache))
