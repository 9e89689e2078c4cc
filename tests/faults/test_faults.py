"""The faults that need a process of their own, for a moment; `make faults` has all of them in full."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.conftest import outside_loop
from tests.faults import scenarios
from tests.faults.__main__ import row_of
from tests.faults.scenarios import Place, Report, Scenario
from tests.postgresql import SURVIVES, run_server
from tests.redis_server import run_redis

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with run_redis() as redis, run_server(SURVIVES) as postgresql:
        place = Place(tmp_path_factory.mktemp("f"), postgresql, redis)
        place.share(SHENYAN_RECORD_TIMEOUT="0.3", SHENYAN_MAX_IN_FLIGHT="16", SHENYAN_REDIS_URL=redis.url)
        yield place
        place.close()


def play(scenario: Scenario, place: Place, seconds: float = 0.0) -> Report:
    """Plays it; nothing that was promised may be lost or come double."""
    report = outside_loop(lambda: asyncio.run(scenario(place, seconds)))
    assert report.counted.promised > 0
    assert (report.counted.lost, report.counted.double) == (0, 0), row_of(report)
    return report


def test_the_database_ends_and_comes_back(place: Place) -> None:
    report = play(scenarios.database_stopped, place)
    assert report.load.answers["block journal"]
    assert report.load.answers.keys() <= {"block database", "block journal"}


def test_redis_ends_and_comes_back(place: Place) -> None:
    report = play(scenarios.redis_gone, place)
    assert report.load.answers.keys() == {"block database"}


def test_four_times_too_much_for_a_second(place: Place) -> None:
    report = play(scenarios.overload, place, 1.0)
    assert report.load.answers.keys() <= {"block database", "block journal", "503"}


def test_killed_while_the_database_is_away(place: Place) -> None:
    report = play(scenarios.killed, place)
    assert report.load.answers["block journal"]


def test_sigterm_drains_and_exits_with_0_within_10_seconds(place: Place) -> None:
    report = play(scenarios.terminated, place)
    assert report.load.degraded["record: database too slow, kept in the journal"]


def test_nothing_can_be_written(place: Place) -> None:
    try:
        report = play(scenarios.nothing_writable, place)
    except PermissionError as error:
        pytest.skip(str(error))
    assert report.load.answers["block journal"]
    assert report.load.answers["block none"]
    assert report.load.degraded["record: incident not stored"]
