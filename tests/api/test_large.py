"""A lexicon that is too large to be compiled beside decisions: by another process, mapped by every worker, whole or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from service.live import LARGE
from tests.api.conftest import ADMIN
from tests.serving import clean_environment, free_port, is_ready

BASE = "/v1/lexicons/shop-words"
WORDS = "\n".join(f"蓝鸽{chr(0x4E00 + number // 60)}{chr(0x5000 + number % 60)}号" for number in range(LARGE))
HIT = WORDS.splitlines()[7]


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class Service:
    """Two workers in a process group of their own, so that all of it can be killed at once."""

    def __init__(self, folder: Path, database_url: str) -> None:
        port = free_port()
        environment = {
            **clean_environment(),
            "SHENYAN_PORT": str(port),
            "SHENYAN_WORKERS": "2",
            "SHENYAN_ADMIN_KEY": ADMIN,
            "SHENYAN_DATABASE_URL": database_url,
            "SHENYAN_DATA_DIR": str(folder / "var"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        with (folder / "serve.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service", "serve"],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {ADMIN}"},
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
            timeout=60,
        )
        give_up = monotonic() + 60
        while not is_ready(url):
            assert self._process.poll() is None
            assert monotonic() < give_up
            sleep(0.05)

    def kill(self) -> None:
        self.client.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(15)

    def versions(self, seconds: float) -> set[str]:
        """What the workers serve, once both serve the same; fails after `seconds`."""
        give_up = monotonic() + seconds
        while True:
            found = self.client.get("/v1/convergence").json()
            if found["converged"] and len({each["pid"] for each in found["workers"]}) >= 2:
                return {each["version"] for each in found["workers"]}
            assert monotonic() < give_up, found
            sleep(0.02)

    def decisions(self) -> set[tuple[str, str]]:
        body = {"text": f"留个{HIT}", "platform": "pinduoduo"}
        answers = [self.client.post("/v1/analyze", json=body).json() for _ in range(12)]
        return {(each["decision"], each["versions"]["lexicon"]) for each in answers}


def test_large_versions_are_mapped_by_every_worker_and_survive_a_kill(tmp_path: Path, database_url: str) -> None:
    service = Service(tmp_path, database_url)
    bundles = tmp_path / "var" / "cache" / "bundles"
    try:
        service.versions(30)
        service.client.post("/v1/lexicons", json={"name": "shop-words"})
        query = "import?format=words&category=contact&severity=critical"
        taken = service.client.post(f"{BASE}/{query}", content=WORDS, headers={"Content-Type": "text/plain"})
        assert taken.json()["taken"] == LARGE
        first = service.client.post(f"{BASE}/publish", json={}).json()["version"]
        (version,) = service.versions(5)
        assert version.endswith(f"@{first}")
        assert service.decisions() == {("block", version)}
        (bundle,) = bundles.iterdir()

        body = {"pattern": "绿鸽号", "category": "contact", "severity": "critical"}
        assert service.client.post(f"{BASE}/terms", json=body).status_code == 201
        second = service.client.get(f"{BASE}/draft").json()["draft_version"]
        with ThreadPoolExecutor(1) as pool:
            publishing = pool.submit(service.client.post, f"{BASE}/publish", json={})
            give_up = monotonic() + 30
            while not publishing.done() and len(list(bundles.iterdir())) < 2 and monotonic() < give_up:
                sleep(0.005)
            service.kill()
            assert publishing.exception() is not None or publishing.result().status_code == 200

        # One bundle is damaged while nobody looks: it is made anew.
        bundle.write_bytes(bundle.read_bytes()[:-9])
        service = Service(tmp_path, database_url)
        found = service.decisions()
        (decision, version), *others = found
        assert (decision, others) == ("block", [])
        assert version.rpartition("@")[2] in (first, second)
        if version.endswith(first):
            assert service.client.post(f"{BASE}/publish", json={}).status_code == 200
        assert service.client.post(f"{BASE}/rollback", json={}).json()["version"] == first
        before = version.rpartition("@")[0]
        assert service.decisions() <= {("block", f"{before}@{each}") for each in (first, second)}
    finally:
        service.kill()
