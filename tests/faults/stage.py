"""A service in a process of its own that can be killed and started again, and the count of what it kept."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from sqlalchemy import text

from service.record.database import Database
from tests.faults.load import Load
from tests.serving import clean_environment, free_port

KEY = "faults-admin-key"
ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
FIND_SECONDS = 60.0


@dataclass
class Service:
    """One instance: `folder` is its data folder; it may start and end many times."""

    folder: Path
    database_url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Returns when it is ready. Raises RuntimeError with its last words."""
        self.launch()
        give_up = monotonic() + START_SECONDS
        while (await self.ready())[0] != 200:
            if self.process is None or self.process.poll() is not None or monotonic() > give_up:
                raise RuntimeError(f"the service does not start\n{self.log()[-2000:]}")
            await asyncio.sleep(0.05)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def launch(self) -> None:
        """Starts it, without waiting."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder.parent / f"{self.folder.name}.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service", "serve"],
                env={
                    **clean_environment(),
                    "SHENYAN_PORT": str(self.port),
                    "SHENYAN_ADMIN_KEY": KEY,
                    "SHENYAN_DATABASE_URL": self.database_url,
                    "SHENYAN_DATA_DIR": str(self.folder),
                    "PYTHONPATH": str(ROOT),
                    **self.settings,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def log(self) -> str:
        return (self.folder.parent / f"{self.folder.name}.log").read_text()

    def kill(self) -> None:
        """As the machine's power would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    async def stop(self) -> tuple[int, float]:
        """SIGTERM; its exit code, and after how many seconds."""
        if self.process is None or self.process.poll() is not None:
            return 0, 0.0
        began = monotonic()
        self.process.terminate()
        code = await asyncio.to_thread(self.process.wait, 30)
        return code, monotonic() - began

    async def ready(self) -> tuple[int, dict[str, Any]]:
        """What `/readyz` says; status 0 when nobody answers."""
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                response = await client.get(f"{self.url}/readyz", timeout=5)
        except httpx.HTTPError:
            return 0, {}
        return response.status_code, response.json()

    async def wait_ready(self, **wanted: object) -> None:
        """Until `/readyz` says 200 and all of `wanted`."""
        give_up = monotonic() + START_SECONDS
        while True:
            status, said = await self.ready()
            if status == 200 and wanted.items() <= said.items():
                return
            if monotonic() > give_up:
                raise AssertionError(f"not ready: {status} {said}")
            await asyncio.sleep(0.05)

    async def put_shop(self) -> None:
        """A shop by whose scheme the load's messages cost points."""
        shop = {"platform": "kuaishou", "ladders": ["ten_point"]}
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
            (await client.put(f"{self.url}/v1/shops/shop-1", json=shop)).raise_for_status()

    def load(self, connections: int = 16, *, clean: bool = False) -> Load:
        return Load(self.port, KEY, connections, clean=clean)


@dataclass(frozen=True)
class Counted:
    """What the database has of what was promised."""

    promised: int
    found: int
    lost: int
    """Ids in answers that no incident has."""
    double: int
    """Messages with more than one incident, and incidents that were charged more or less than once."""


async def count(database_url: str, load: Load) -> Counted:
    """Waits until all that was promised has arrived, as long as more of it comes, and counts."""
    database = await Database.open(database_url)
    try:
        give_up = monotonic() + FIND_SECONDS
        while True:
            async with database.read() as connection:
                rows = (await connection.execute(text("SELECT id, message_id, agent_id FROM incidents"))).all()
                names = (await connection.execute(text("SELECT id, incident_id FROM incident_aliases"))).all()
                costs = text("SELECT incident_id FROM ledger_entries WHERE scheme = 'ten_point' AND points > 0")
                charged = Counter((await connection.execute(costs)).scalars())
            ids = {row.id for row in rows}
            known = ids | {row.id for row in names if row.incident_id in ids}
            lost = load.promised.keys() - known
            if not lost or monotonic() > give_up:
                break
            await asyncio.sleep(0.1)
    finally:
        await database.close()
    twice = sum(number - 1 for number in Counter(row.message_id for row in rows).values())
    wrong = sum(charged[incident] != 1 for incident in ids)
    return Counted(len(load.promised), len(load.promised) - len(lost), len(lost), twice + wrong)
