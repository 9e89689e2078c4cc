"""A large lexicon under load, as an editor would publish it: `python -m bench.publish [TERMS]`.

Two workers of the real service on this machine. While each step runs, other clients ask for decisions; the slowest of
their answers stands beside the step.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter, sleep
from typing import Any

from bench.messages import made_up_terms
from bench.servers import HOST, KEY, run_process, service_environment
from service.lexicon.term import Term
from service.normalise.tables import load_tables
from service.normalise.views import fold
from service.settings import shipped_lexicons

WORKERS = 2
CLIENTS = 4
PACE_SECONDS = 0.005
PATIENCE_SECONDS = 300
BACKTEST_MESSAGES = 100_000
INCIDENT_EACH = 50
"""One message in so many of a backtest, as in real traffic."""
BASE = "/v1/lexicons/made-up"
TEXTS = (
    "亲，已经为您安排发货了",
    "您好，这款有现货的，拍下当天发出",
    "好的，退款会原路返回，请您留意",
    "加薇.信号abc123",
)


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)

    def send(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": kind}
        self._connection.request(method, path, body or None, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def json(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self.send(method, path, b"" if body is None else json.dumps(body).encode())
        if status >= 300:
            raise SystemExit(f"{method} {path}: {status} {answer[:300]!r}")
        return json.loads(answer or b"null")


class Load:
    """Decisions asked for all the time, each client at its pace, by a process of its own: what the editor's client takes
    apart or puts together must not hold these up.
    """

    def __init__(self, port: int) -> None:
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=keep_asking, args=(port, other), daemon=True)

    def __enter__(self) -> Load:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def take(self) -> list[float]:
        """The milliseconds of all answers since the last time, ascending."""
        self._pipe.send(None)
        times: list[float] = self._pipe.recv()
        return times


def keep_asking(port: int, pipe: Connection) -> None:
    """Asks until it is ended, and says how long answers took whenever it is asked."""
    asking = Asking(port)
    for _ in range(CLIENTS):
        threading.Thread(target=asking.ask, daemon=True).start()
    while True:
        pipe.recv()
        pipe.send(sorted(asking.take()) or [0.0])


class Asking:
    """Some clients of one service."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._times: list[float] = []

    def take(self) -> list[float]:
        """What was measured since the last time."""
        times, self._times = self._times, []
        return times

    def ask(self) -> None:
        """One client, without end."""
        client = Client(self._port)
        for number, text in enumerate(cycle(TEXTS)):
            body = {"text": f"{text}{number}", "platform": "taobao", "shop_id": "s", "agent_id": "a"}
            data, started = json.dumps(body).encode(), perf_counter()
            status, answer = client.send("POST", "/v1/moderate", data)
            self._times.append((perf_counter() - started) * 1000)
            if status != 200:
                raise SystemExit(f"{status} {answer[:300]!r}")
            sleep(PACE_SECONDS)


def steps(port: int, terms: int) -> Iterator[tuple[str, Callable[[], str]]]:
    """What an editor does, in order."""
    client, kept = Client(port), dict[str, Any](data=b"", version="")
    lines = [
        json.dumps({**json_of(term), "hits": [f"亲{term.pattern}好"]}, ensure_ascii=False)
        for term in distinct_terms(terms)
    ]
    data = "\n".join(lines).encode()
    # Made here, for making it stops the clients too.
    rows = [
        {"text": f"{TEXTS[3] if n % INCIDENT_EACH == 0 else TEXTS[n % 3]}{n}", "platform": "taobao"}
        for n in range(BACKTEST_MESSAGES)
    ]
    messages = json.dumps({"messages": rows}).encode()

    def take(data: bytes) -> str:
        status, answer = client.send("POST", f"{BASE}/import?format=jsonl&mode=replace", data, "application/x-ndjson")
        return f"{status} {json.loads(answer).get('taken')}"

    def give() -> str:
        _, kept["data"] = client.send("GET", f"{BASE}/export?format=csv")
        return f"{len(kept['data']) / 1e6:.1f} MB"

    def take_again() -> str:
        status, _ = client.send("POST", f"{BASE}/import?format=csv&mode=replace", kept["data"], "text/csv")
        version = client.json("GET", f"{BASE}/draft?limit=0")["draft_version"]
        return f"{status}, the same version: {version == kept['version']}"

    def publish() -> str:
        kept["version"] = client.json("POST", f"{BASE}/publish", {})["version"]
        return wait_for(client, str(kept["version"]))

    def roll_back(version: str | None = None) -> str:
        return wait_for(client, client.json("POST", f"{BASE}/rollback", {"version": version})["version"])

    def backtest() -> str:
        job = json.loads(client.send("POST", f"{BASE}/backtest", messages)[1])
        while job["state"] in ("queued", "running"):
            sleep(0.1)
            job = client.json("GET", f"/v1/jobs/{job['id']}")
        return f"{job['state']} {job['done']}"

    client.json("POST", "/v1/lexicons", {"name": "made-up"})
    client.json("POST", f"{BASE}/terms", {"pattern": "蓝鸽号", "category": "contact", "severity": "high"})
    yield "nothing", lambda: sleep(3) or ""  # type: ignore[func-returns-value]
    yield "publish one term", publish
    yield "import", lambda: take(data)
    yield "look at the draft", lambda: str(client.json("GET", f"{BASE}/draft?limit=200")["publishable"])
    yield "publish", publish
    yield "roll back", roll_back
    yield "roll forward", lambda: roll_back(str(kept["version"]))
    yield "export", give
    yield "import again and look", take_again
    yield f"backtest {BACKTEST_MESSAGES:,}", backtest


def distinct_terms(count: int) -> list[Term]:
    """Made-up terms of which no two read the same once they are normalised."""
    tables = load_tables(shipped_lexicons() / "tables")
    found = {fold(term.pattern, tables).text: term for term in made_up_terms(count + count // 20)}
    return list(found.values())[:count]


def json_of(term: Any) -> dict[str, Any]:
    return {
        "id": term.id,
        "pattern": term.pattern,
        "category": term.category,
        "severity": term.severity,
        "match": "substring",
    }


def wait_for(client: Client, version: str) -> str:
    """How long after the answer every worker serves `version`, and how long after each other they began to."""
    answered = monotonic()
    while monotonic() - answered < PATIENCE_SECONDS:
        found = client.json("GET", "/v1/convergence")
        if len(found["workers"]) == WORKERS and all(version in each["version"] for each in found["workers"]):
            return f"live everywhere {(monotonic() - answered) * 1000:.0f} ms after the answer"
        sleep(0.01)
    raise SystemExit(f"{version} is not live everywhere: {found}")


@contextmanager
def two_workers(folder: Path, database_url: str) -> Iterator[int]:
    environment = {**service_environment(folder, database_url), "SHENYAN_WORKERS": str(WORKERS)}
    with run_process(["-m", "service", "serve"], environment, folder) as server:
        yield server.port


def memory() -> str:
    """Of each process of this service: its own pages and those it shares, in MB."""
    rows = []
    for status in Path("/proc").glob("[0-9]*/smaps_rollup"):
        try:
            command = (status.parent / "cmdline").read_bytes()
            figures = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:
            continue
        if b"service\0serve" in command or b"spawn_main" in command:
            sizes = [int(figures[name].split()[0]) // 1024 for name in ("Rss", "Pss", "Private_Dirty")]
            rows.append("/".join(map(str, sizes)))
    return f"memory Rss/Pss/Private_Dirty of the processes: {', '.join(rows)} MB"


def main() -> None:
    terms = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    database_url = sys.argv[2] if len(sys.argv) > 2 else ""
    with TemporaryDirectory() as folder, two_workers(Path(folder), database_url) as port, Load(port) as load:
        print(f"{terms:,} terms, {WORKERS} workers, {CLIENTS} clients; {memory()}")
        for name, step in steps(port, terms):
            load.take()
            started = monotonic()
            said = step()
            seconds, times = monotonic() - started, load.take()
            p99 = times[int(len(times) * 0.99) - 1]
            print(f"{name:22} {seconds:6.2f} s, p99 {p99:5.1f} ms, slowest {times[-1]:6.1f} ms: {said}", flush=True)
        print(memory())


if __name__ == "__main__":
    main()
