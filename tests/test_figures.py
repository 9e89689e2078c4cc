"""Figures of one process, and of several that share a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.api.metrics import Metrics, family_of
from service.figures import MOST_ROWS, STALE_SECONDS, Figures, Shared, merge


def a_worker(lag: float, calls: int) -> Figures:
    figures = Figures()
    count = figures.count("calls", "Calls.", "part")
    for _ in range(calls):
        count.add("a")
    spread = figures.spread("seconds", "Time.", "stage", ["total"])["total"]
    spread.add(0.0002)
    spread.add(5.0)
    figures.gauge("lag", "Lag.", lambda: lag, merge="max")
    figures.gauge("news", "News.", lambda: lag, merge="min")
    figures.gauge("memory", "Memory.", lambda: lag)
    figures.gauge("info", "Version.", lambda: {(str(lag),): 1.0}, "version", merge="max")
    return figures


def shown(text: bytes) -> list[str]:
    return [line for line in text.decode().splitlines() if not line.startswith("#")]


def test_workers_are_added_up() -> None:
    merged = {each.name: each.rows for each in merge([a_worker(1.0, 2).read(), a_worker(3.0, 5).read()])}
    assert merged["calls"] == [(("a",), [7])]
    assert (merged["lag"], merged["news"], merged["memory"]) == ([((), [3.0])], [((), [1.0])], [((), [4.0])])
    assert merged["info"] == [(("1.0",), [1.0]), (("3.0",), [1.0])]
    (((_, numbers)),) = merged["seconds"]
    assert (sum(numbers[:-1]), numbers[1], numbers[-2]) == (4, 2, 2)
    assert numbers[-1] == pytest.approx(10.0004)


def test_bins_are_counted_from_below() -> None:
    (spread,) = [each for each in a_worker(1.0, 0).read() if each.kind == "spread"]
    samples = {(each.name, each.labels.get("le")): each.value for each in family_of(spread).samples}
    assert samples["seconds_bucket", "0.0001"] == 0
    assert samples["seconds_bucket", "0.00025"] == samples["seconds_bucket", "1.0"] == 1
    assert samples["seconds_bucket", "+Inf"] == samples["seconds_count", None] == 2


def test_a_worker_that_has_gone_still_counts_but_holds_nothing(tmp_path: Path) -> None:
    gone = Shared(tmp_path)
    gone.put(a_worker(3.0, 5).read())
    (file,) = tmp_path.iterdir()
    long_ago = file.stat().st_mtime - STALE_SECONDS - 1
    os.utime(file, (long_ago, long_ago))
    (tmp_path / "broken.json").write_bytes(b"[[")
    own = Shared(tmp_path)
    own.put(a_worker(1.0, 2).read())
    merged = {each.name: each.rows for each in own.merged(a_worker(1.0, 2).read())}
    assert merged["calls"] == [(("a",), [7])]
    assert merged["memory"] == [((), [1.0])]


def test_several_workers_show_the_same(tmp_path: Path) -> None:
    one, other = Metrics(tmp_path), Metrics(tmp_path)
    one.saturated.add()
    other.saturated.add(number=2)
    one.put()
    other.put()
    assert "shenyan_saturated_total 3.0" in shown(one.text())
    assert shown(one.text()) == shown(other.text())


def test_a_caller_cannot_use_up_the_memory() -> None:
    count = Figures().count("calls", "Calls.", "part")
    for number in range(MOST_ROWS + 10):
        count.add(str(number))
    assert len(count.values) == MOST_ROWS + 1
    assert count.values["other",] == 10


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Shared(tmp_path / "file").put([])
