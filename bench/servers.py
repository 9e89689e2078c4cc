"""Processes that answer on a free port of this machine, and end with their block."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from bench.report import BenchError

HOST = "127.0.0.1"
KEY = "a-key-for-measuring-only"
START_SECONDS = 60
STOP_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    ready_seconds: float
    """From the start of the process to the first time it said that it is ready."""


@contextmanager
def run_service(folder: Path, database_url: str = "", workers: int = 1) -> Iterator[Server]:
    """`shenyan serve`; `folder` is its data folder, SQLite in it unless a database is named."""
    environment = {**service_environment(folder, database_url), "SHENYAN_WORKERS": str(workers)}
    with run_process(["-m", "service", "serve"], environment, folder) as server:
        yield server


def migrate(folder: Path, database_url: str) -> None:
    """`shenyan migrate`."""
    subprocess.run(
        [sys.executable, "-m", "service", "migrate"],
        env=service_environment(folder, database_url),
        check=True,
        capture_output=True,
        timeout=START_SECONDS,
    )


@contextmanager
def run_empty(folder: Path, *peer: str) -> Iterator[Server]:
    """The endpoint that does nothing, or one that asks a peer."""
    with run_process(["-m", "bench.empty", "{port}", *peer], service_environment(folder, ""), folder) as server:
        yield server


def service_environment(folder: Path, database_url: str) -> dict[str, str]:
    """This process's environment, but for the service's settings, which are the defaults."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("SHENYAN_")}
    return {
        **others,
        "SHENYAN_HOST": HOST,
        "SHENYAN_DATA_DIR": str(folder),
        "SHENYAN_DATABASE_URL": database_url,
        "SHENYAN_ADMIN_KEY": KEY,
        "SHENYAN_LOG_LEVEL": "warning",
    }


@contextmanager
def run_process(arguments: list[str], environment: Mapping[str, str], folder: Path) -> Iterator[Server]:
    """Runs Python until the block ends. Raises BenchError with its output when it does not become ready."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with (folder / "output").open("w+") as output:
        started = monotonic()
        process = subprocess.Popen(
            [sys.executable, *(argument.format(port=port) for argument in arguments)],
            env={**environment, "SHENYAN_PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while not is_ready(port):
                if process.poll() is not None or monotonic() - started > START_SECONDS:
                    output.seek(0)
                    raise BenchError(f"{' '.join(arguments)} did not become ready:\n{output.read()}")
                sleep(0.01)
            yield Server(port, monotonic() - started)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
