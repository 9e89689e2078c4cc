"""Starting and stopping for real, as a process: what goes wrong at start is said in words, with exit code 1."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.settings import shipped_lexicons
from tests.api.conftest import ADMIN

SHENYAN = [sys.executable, "-m", "service"]


def environment(folder: Path, **settings: str) -> dict[str, str]:
    return {**os.environ, "SHENYAN_DATA_DIR": str(folder / "var"), **settings}


def refused(folder: Path, *arguments: str, **settings: str) -> str:
    """Standard error of a command that must fail."""
    done = subprocess.run(
        [*SHENYAN, *arguments], env=environment(folder, **settings), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running service and what it printed when it was ready; asked to stop in the end."""
    process = subprocess.Popen(
        [*SHENYAN, "serve"],
        env=environment(folder, **{"SHENYAN_PORT": free_port(), **settings}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        yield process, "".join(process.stdout.readline() for _ in range(4))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        process.stdout.close()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_starts_prints_a_line_that_works_and_stops(tmp_path: Path, workers: str) -> None:
    with serving(tmp_path, SHENYAN_WORKERS=workers) as (_, greeting):
        key_file = tmp_path / "var" / "admin.key"
        assert str(key_file) in greeting
        assert key_file.read_text().strip() not in greeting
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        line = greeting.splitlines()[-1].strip()
        assert line.startswith("curl ")
        if shutil.which("curl"):
            done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=20)
            assert '"decision":"block"' in done.stdout
        assert "$(cat " in shlex.split(line)[4]
    with serving(tmp_path, SHENYAN_ADMIN_KEY=ADMIN) as (_, greeting):
        assert "from SHENYAN_ADMIN_KEY" in greeting
        assert ADMIN not in greeting


def test_a_bad_data_file_is_refused_with_its_place(tmp_path: Path) -> None:
    lexicons = tmp_path / "lexicons"
    shutil.copytree(shipped_lexicons(), lexicons)
    file = lexicons / "terms" / "counterfeit.toml"
    file.write_text(file.read_text() + '\n[[term]]\nid = "counterfeit/x"\npatern = "x"\n')
    said = refused(tmp_path, "serve", SHENYAN_LEXICON_DIR=str(lexicons), SHENYAN_PORT=free_port())
    assert re.search(r"counterfeit\.toml:\d+", said)
    assert "^" in said


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused(tmp_path, "serve", SHENYAN_PORT=port)
    assert f"can't listen on 127.0.0.1:{port}" in said


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    assert "can't write here" in refused(tmp_path, "serve")


def test_a_setting_that_does_not_exist(tmp_path: Path) -> None:
    assert "did you mean SHENYAN_PORT?" in refused(tmp_path, "serve", SHENYAN_PROT="1")


def test_a_database_that_is_none(tmp_path: Path) -> None:
    assert "SHENYAN_DATABASE_URL" in refused(tmp_path, "serve", SHENYAN_DATABASE_URL="mysql://x")


def test_keys_are_made_on_the_command_line(tmp_path: Path) -> None:
    command = [*SHENYAN, "keys", "create", "chat server", "--role", "editor"]
    done = subprocess.run(command, env=environment(tmp_path), check=True, capture_output=True, text=True)
    assert done.stdout.startswith("sk_")
