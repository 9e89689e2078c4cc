"""What a tenant's own words cost in memory and time: `python -m bench.tenants` prints a line for each size."""

from __future__ import annotations

import gc
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.messages import made_up_terms, message
from bench.timing import first_sight, memory_mb, time_calls
from service.bundles import Bundles
from service.engine import Engine
from service.lexicon.load import load_snapshot
from service.lexicon.overlay import Content, Layer, lay_over, version_of
from service.live import LARGE
from service.settings import shipped_lexicons

SIZES = ((50, 100), (10_000, 1), (100_000, 1), (1_000_000, 1))
"""Terms of a tenant, and how many such tenants there are."""


def measure(shipped: Engine, terms: int, tenants: int) -> tuple[float, float, Engine]:
    """Megabytes and seconds of one tenant, and the engine of the last."""
    content = Content(terms=made_up_terms(terms))
    overlay = lay_over([Layer("made-up", version_of(content.canonical()), content)])
    gc.collect()
    before, started = memory_mb(), perf_counter()
    engines = [shipped.over(overlay, {}) for _ in range(tenants)]
    seconds = perf_counter() - started
    gc.collect()
    return (memory_mb() - before) / tenants, seconds / tenants, engines[-1]


def open_bundle(shipped: Engine, terms: int) -> tuple[float, float, Engine]:
    """Megabytes and seconds of a large tenant's bundle, opened and not read yet, and its engine."""
    content = Content(terms=made_up_terms(terms))
    sections = shipped.pack(lay_over([Layer("made-up", version_of(content.canonical()), content)]))
    with TemporaryDirectory() as folder:
        bundles = Bundles(Path(folder))
        bundles.write("tenant", "bundle", sections)
        del sections, content
        gc.collect()
        before, started = memory_mb(), perf_counter()
        mapped = bundles.open("tenant", "bundle")
        assert mapped is not None
        engine = shipped.open(mapped, {})
        return memory_mb() - before, perf_counter() - started, engine


def main() -> None:
    snapshot = load_snapshot(shipped_lexicons())
    shipped = Engine.compile(snapshot)
    messages = [message(text) for text in snapshot.corpus]
    for terms, tenants in SIZES:
        large = terms >= LARGE
        megabytes, seconds, engine = open_bundle(shipped, terms) if large else measure(shipped, terms, tenants)
        alone, with_terms = time_calls(messages, first_sight(shipped), first_sight(engine))
        print(
            f"{terms:9,} terms: {megabytes:7.2f} MB, {'opened' if large else 'compiled'} in {seconds * 1000:7.1f} ms; "
            f"a message {with_terms.median:.1f} us, {alone.median:.1f} us without"
        )


if __name__ == "__main__":
    main()
