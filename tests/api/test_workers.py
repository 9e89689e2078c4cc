"""Two real worker processes: what one publishes the other serves within a second."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from tests.api.conftest import ADMIN
from tests.serving import run_service

BASE = "/v1/lexicons/shop-words"


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    settings = {
        "SHENYAN_WORKERS": "2",
        "SHENYAN_ADMIN_KEY": ADMIN,
        "SHENYAN_DATABASE_URL": database_url,
        "SHENYAN_DATA_DIR": str(tmp_path / "var"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    with run_service([sys.executable, "-m", "service", "serve"], tmp_path, settings) as url:
        # A new connection each time, so that either worker may take it.
        limits = httpx.Limits(max_keepalive_connections=0)
        headers = {"Authorization": f"Bearer {ADMIN}"}
        with httpx.Client(base_url=url, headers=headers, limits=limits, trust_env=False) as client:
            yield client


def wait_until_converged(client: httpx.Client, seconds: float) -> set[str]:
    """The versions that the workers serve when both have followed; fails after `seconds`."""
    give_up = monotonic() + seconds
    while True:
        found = client.get("/v1/convergence").json()
        if found["converged"] and len(found["workers"]) == 2:
            return {each["version"] for each in found["workers"]}
        assert monotonic() < give_up, found
        sleep(0.02)


def test_both_workers_follow_a_publication_and_a_rollback_within_a_second(served: httpx.Client) -> None:
    wait_until_converged(served, 30)
    served.post("/v1/lexicons", json={"name": "shop-words"})
    versions = []
    for word in ("蓝鸽号", "绿鸽号"):
        body = {"pattern": word, "category": "contact", "severity": "high", "match": "substring"}
        assert served.post(f"{BASE}/terms", json=body).status_code == 201
        versions.append(served.post(f"{BASE}/publish", json={}).json()["version"])
        (version,) = wait_until_converged(served, 1)
        assert version.endswith(f"+shop-words@{versions[-1]}")
        answers = [
            served.post("/v1/analyze", json={"text": f"留个{word}", "platform": "pinduoduo"}).json() for _ in range(20)
        ]
        assert {(each["decision"], each["versions"]["lexicon"]) for each in answers} == {("block", version)}
    assert served.post(f"{BASE}/rollback", json={}).json()["version"] == versions[0]
    (version,) = wait_until_converged(served, 1)
    assert version.endswith(f"+shop-words@{versions[0]}")
    # Whoever is asked for figures speaks for both; they look at each other once a second.
    give_up = monotonic() + 10
    while "shenyan_workers 2.0" not in served.get("/metrics").text:
        assert monotonic() < give_up
        sleep(0.05)
