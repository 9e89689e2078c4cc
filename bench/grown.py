"""The engine with made-up terms added: `python -m bench.grown COUNT` prints its figures as JSON.

A process of its own for each count, for memory that was used once is seldom given back.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from dataclasses import replace
from time import perf_counter

from bench.messages import made_up_terms, message
from bench.report import BenchError
from bench.timing import first_sight, memory_mb, time_calls
from service.engine import Engine
from service.lexicon.load import load_snapshot
from service.settings import shipped_lexicons

SAMPLE = 400
"""Sentences that the time is measured with."""


def measure(count: int) -> dict[str, float]:
    """Memory with `count` terms more, and the time of a message beside that of the shipped engine."""
    snapshot = load_snapshot(shipped_lexicons())
    larger = replace(snapshot, terms=(*snapshot.terms, *made_up_terms(count)))
    started = perf_counter()
    engine = Engine.compile(larger)
    seconds = perf_counter() - started
    gc.collect()
    memory = memory_mb()
    messages = [message(text) for text in snapshot.corpus[:SAMPLE]]
    shipped, grown = time_calls(messages, first_sight(Engine.compile(snapshot)), first_sight(engine))
    return {
        "memory_mb": memory,
        "compile_s": seconds,
        "shipped_us": shipped.median,
        "grown_us": grown.median,
        "grown_p99_us": grown.p99,
    }


def measure_apart(count: int) -> dict[str, float]:
    """The same, in a new process. Raises BenchError with its output when it fails."""
    command = [sys.executable, "-m", "bench.grown", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise BenchError(f"the engine with {count:,} more terms could not be measured:\n{done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
