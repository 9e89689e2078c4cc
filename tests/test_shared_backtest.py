"""A backtest of two processes says what one of one process says, and leaves nobody behind."""

from __future__ import annotations

from datetime import date
from time import monotonic

import pytest

from service.backtest import Backtest, Sample
from service.errors import Unavailable
from service.lexicon.overlay import Content, Layer
from service.live import Live
from service.shared_backtest import SharedBacktest
from tests.terms import term

TODAY = date(2026, 3, 1)


def backtest(live: Live, count: int) -> Backtest:
    words = tuple(term(f"蓝鸽{number}号", match="substring", severity="high") for number in range(3))
    draft = live.compose([Layer("shop-words", "1", Content(terms=words))], {})
    samples = [Sample(f"发您蓝鸽{number % 5}号第{number % 40}次", "taobao") for number in range(count)]
    return Backtest(live.engine, draft, "1", samples, TODAY)


def run(shared: SharedBacktest) -> None:
    shared.start()
    give_up = monotonic() + 30
    while shared.step(0) < len(shared.whole.samples):
        assert monotonic() < give_up


def test_two_say_what_one_says(live: Live) -> None:
    alone, shared = backtest(live, 900), SharedBacktest(backtest(live, 900))
    alone.step(900)
    run(shared)
    assert shared.report() == alone.report()
    assert shared.report().changed == 540


def test_one_that_dies_is_said(live: Live) -> None:
    shared = SharedBacktest(backtest(live, 200_000))
    shared.start()
    processes = list(shared._running.values())
    processes[0].kill()
    processes[0].join()
    with pytest.raises(Unavailable):
        run_on(shared)
    assert not any(each.is_alive() for each in processes)


def run_on(shared: SharedBacktest) -> None:
    while shared.step(0) < len(shared.whole.samples):
        pass
