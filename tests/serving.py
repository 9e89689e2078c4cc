"""A service in a process of its own, as a user starts it: its settings are the defaults but for those given."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import httpx

READY_SECONDS = 60


def clean_environment() -> dict[str, str]:
    """This process's environment without the service's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SHENYAN_")}


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_service(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] = {}) -> Iterator[str]:
    """Runs `command` in `folder` until the end of the block; yields its address once `/readyz` says 200.

    Raises RuntimeError, with what it said, when it ends before that or takes too long.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (folder / "serve.log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**clean_environment(), "SHENYAN_PORT": str(port), **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            give_up = monotonic() + READY_SECONDS
            while not is_ready(url):
                if process.poll() is not None or monotonic() > give_up:
                    log.seek(0)
                    raise RuntimeError(f"{command} does not answer\n{log.read()}")
                sleep(0.05)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
