"""A lexicon that is too large to be compiled beside decisions: by another process, mapped by every worker, whole or not."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import active_children
from pathlib import Path
from time import monotonic, process_time, sleep

import httpx
import pytest

from service.live import LARGE, load_live
from service.settings import Settings, shipped_lexicons
from tests.api.conftest import ADMIN, running
from tests.serving import clean_environment, free_port, is_ready

BASE = "/v1/lexicons/shop-words"
WORDS = "\n".join(f"蓝鸽{chr(0x4E00 + number // 60)}{chr(0x5000 + number % 60)}号" for number in range(LARGE))
HIT = WORDS.splitlines()[7]


@pytest.fixture(scope="module")
def lexicons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped data with few terms and sentences: processes are up in a third of the time."""
    folder = tmp_path_factory.mktemp("few") / "lexicons"
    shutil.copytree(shipped_lexicons(), folder, ignore=shutil.ignore_patterns("terms", "corpus"))
    for name in ("terms", "corpus"):
        (folder / name).mkdir()
    shutil.copy(next((shipped_lexicons() / "corpus").iterdir()), folder / "corpus")
    term = '[[term]]\nid = "abuse/fewterms"\npattern = "大灰驴"\nhits = ["你这大灰驴"]\n'
    (folder / "terms" / "abuse.toml").write_text(
        f'category = "abuse"\n\n[defaults]\nseverity = "high"\nmatch = "word"\n\n{term}', encoding="utf-8"
    )
    return folder


class Service:
    """One worker and its workbench in a process group of their own, so that all of it can be killed at once."""

    def __init__(self, folder: Path, lexicons: Path, database_url: str) -> None:
        port = free_port()
        environment = {
            **clean_environment(),
            "SHENYAN_PORT": str(port),
            "SHENYAN_WORKERS": "1",
            "SHENYAN_LEXICON_DIR": str(lexicons),
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
            if found["converged"] and len({each["pid"] for each in found["workers"]}) >= 1:
                return {each["version"] for each in found["workers"]}
            assert monotonic() < give_up, found
            sleep(0.02)

    def decisions(self) -> set[tuple[str, str]]:
        body = {"text": f"留个{HIT}", "platform": "pinduoduo"}
        answers = [self.client.post("/v1/analyze", json=body).json() for _ in range(12)]
        return {(each["decision"], each["versions"]["lexicon"]) for each in answers}


def test_a_large_version_survives_a_kill(tmp_path: Path, lexicons: Path, database_url: str) -> None:
    service = Service(tmp_path, lexicons, database_url)
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
        assert len(list(bundles.iterdir())) == 1

        body = {"pattern": "绿鸽号", "category": "contact", "severity": "critical"}
        assert service.client.post(f"{BASE}/terms", json=body).status_code == 201
        with ThreadPoolExecutor(1) as pool:
            publishing = pool.submit(service.client.post, f"{BASE}/publish", json={})
            give_up = monotonic() + 30
            while not publishing.done() and len(list(bundles.iterdir())) < 2 and monotonic() < give_up:
                sleep(0.005)
            service.kill()
            assert publishing.exception() is not None or publishing.result().status_code == 200

        service = Service(tmp_path, lexicons, database_url)
        found = service.decisions()
        (decision, version), *others = found
        assert (decision, others) == ("block", [])
        published = [each["version"] for each in service.client.get(f"{BASE}/versions").json()["items"]]
        assert version.rpartition("@")[2] == published[0]
        if published == [first]:
            published = [service.client.post(f"{BASE}/publish", json={}).json()["version"], first]
        assert service.client.post(f"{BASE}/rollback", json={}).json()["version"] == first
        before = version.rpartition("@")[0]
        assert service.decisions() <= {("block", f"{before}@{each}") for each in published}
    finally:
        service.kill()


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_the_workbench_does_the_work(lexicons: Path, settings: Settings) -> None:
    """This process answers meanwhile, and uses little of the processor; what is damaged is made anew."""
    settings = settings.model_copy(update={"lexicon_dir": lexicons})
    live = load_live(lexicons, settings.cache_dir)
    async with running(live, settings) as service:
        await service.client.post("/v1/lexicons", json={"name": "shop-words"})
        query = "import?format=words&category=contact&severity=critical"
        taken = await service.client.post(f"{BASE}/{query}", content=WORDS, headers={"Content-Type": "text/plain"})
        assert taken.json()["taken"] == LARGE
        await service.client.get("/v1/lexicons")
        began, lag = process_time(), asyncio.create_task(longest_step())
        first = (await service.client.post(f"{BASE}/publish", json={})).json()["version"]
        used = process_time() - began
        lag.cancel()
        assert await lag < 0.1
        assert used < children_seconds() / 2
        # Another worker maps the same file, and needs no workbench.
        async with running(live, settings) as other:
            reply = await other.client.post("/v1/analyze", json={"text": f"留个{HIT}", "platform": "pinduoduo"})
            assert reply.json()["versions"]["lexicon"].endswith(f"@{first}")
            assert other.state["jobs"].workbench._pool is None
        await service.client.post(f"{BASE}/terms", json={"pattern": "绿鸽号", "category": "contact", "severity": "low"})
        second = (await service.client.post(f"{BASE}/publish", json={})).json()["version"]
    for bundle in (settings.cache_dir / "bundles").iterdir():
        bundle.write_bytes(bundle.read_bytes()[:-9])
    async with running(live, settings) as service:
        for version in (second, first):
            reply = await service.client.post("/v1/analyze", json={"text": f"留个{HIT}", "platform": "pinduoduo"})
            assert reply.json()["decision"] == "block"
            assert reply.json()["versions"]["lexicon"].endswith(f"@{version}")
            await service.client.post(f"{BASE}/rollback", json={})


async def longest_step() -> float:
    """The most processor time, in seconds, that this process used between two turns of the loop 2 ms apart, until cancelled."""
    longest, began = 0.0, process_time()
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(0.002)
            now = process_time()
            longest, began = max(longest, now - began), now
    return longest


def children_seconds() -> float:
    """Processor time of the processes that this one has started."""
    times = [Path(f"/proc/{each.pid}/stat").read_text().rpartition(")")[2].split() for each in active_children()]
    return sum(int(fields[11]) + int(fields[12]) for fields in times) / os.sysconf("SC_CLK_TCK")
