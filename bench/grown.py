"""The engine with a tenant's made-up terms over the shipped ones, as in service: packed in one process, opened in another.

    python -m bench.grown pack COUNT FOLDER
    python -m bench.grown measure COUNT FOLDER    prints figures as JSON

A process of its own for each count, for memory that was used once is seldom given back.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from bench.messages import made_up_terms, message
from bench.report import BenchError
from bench.timing import first_sight, memory_mb, time_calls
from service.bundles import Bundles
from service.engine import Engine
from service.lexicon.load import load_snapshot
from service.lexicon.overlay import Content, Layer, lay_over, version_of
from service.settings import shipped_lexicons

SAMPLE = 400
"""Sentences that the time is measured with."""
WITH_HITS = 2_000
"""Messages that hold a made-up term, read before the memory is looked at: so much of a bundle is really used."""


def pack(count: int, folder: Path) -> None:
    """Compiles `count` terms into a bundle; prints the seconds that it took."""
    shipped = Engine.compile(load_snapshot(shipped_lexicons()))
    content = Content(terms=made_up_terms(count))
    started = perf_counter()
    sections = shipped.pack(lay_over([Layer("made-up", version_of(content.canonical()), content)]))
    print(json.dumps({"compile_s": perf_counter() - started}))
    Bundles(folder).write("tenant", str(count), sections)


def measure(count: int, folder: Path) -> dict[str, float]:
    """What `count` terms more cost in memory, and in time beside the shipped engine."""
    snapshot = load_snapshot(shipped_lexicons())
    shipped = Engine.compile(snapshot)
    # What is read below is made here, so that it is no part of what is measured.
    texts = [f"亲{term.pattern}好" for term in made_up_terms(WITH_HITS)]
    messages = [message(text) for text in snapshot.corpus[:SAMPLE]]
    for text in texts:
        shipped.decide(message(text))
    gc.collect()
    before = memory_mb()
    engine = shipped
    if count:
        sections = Bundles(folder).open("tenant", str(count))
        if sections is None:
            raise BenchError(f"the bundle of {count:,} terms is not there")
        engine = shipped.open(sections, {})
        for text in texts:
            engine.decide(message(text))
    gc.collect()
    memory = memory_mb() - before
    alone, grown = time_calls(messages, first_sight(shipped), first_sight(engine))
    return {
        "more_memory_mb": memory,
        "shipped_us": alone.median,
        "grown_us": grown.median,
        "grown_p99_us": grown.p99,
    }


def measure_apart(count: int) -> dict[str, float]:
    """Both, each in a new process. Raises BenchError with its output when one fails."""
    figures: dict[str, float] = {"compile_s": 0.0}
    with tempfile.TemporaryDirectory(prefix="shenyan-bench-") as folder:
        for step in ("pack", "measure") if count else ("measure",):
            command = [sys.executable, "-m", "bench.grown", step, str(count), folder]
            done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
            if done.returncode:
                raise BenchError(f"the engine with {count:,} more terms could not be measured:\n{done.stderr}")
            figures |= json.loads(done.stdout)
    return figures


def main(step: str, count: str, folder: str) -> None:
    if step == "pack":
        pack(int(count), Path(folder))
    else:
        print(json.dumps(measure(int(count), Path(folder))))


if __name__ == "__main__":
    main(*sys.argv[1:])
