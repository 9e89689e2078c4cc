"""The plot of the growth figures is drawn from what a run gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.growth import plot
from bench.report import BenchError, Figure


def test_draws_four_panels(tmp_path: Path) -> None:
    figures = [
        Figure("engine, 20 characters: median", values={"characters": 20, "us": 9}),
        Figure("engine, 0 more terms: median", values={"more_terms": 0, "grown_us": 10}),
        Figure("HTTP, 1 worker, 1 connections", values={"workers": 1, "connections": 1, "rate_per_s": 100}),
        Figure("HTTP, one worker, 32 connections: shenyan", values={"rate_per_s": 6_000}),
    ]
    plot(figures, tmp_path / "growth.svg")
    drawn = (tmp_path / "growth.svg").read_text()
    assert drawn.count('id="axes_') == 4


def test_nothing_measured_is_said(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="nothing was measured"):
        plot([], tmp_path / "growth.svg")
