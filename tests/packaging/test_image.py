"""The image's recipe: what it copies exists, it ends as an ordinary user, and its health check says what is true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import service
from tests.serving import clean_environment, free_port, run_service

ROOT = Path(service.__file__).parent.parent
STEPS = re.findall(
    r"^([A-Z]+) (.*)$", re.sub(r"\\\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8")), re.MULTILINE
)
LAST_STAGE = STEPS[max(index for index, (word, _) in enumerate(STEPS) if word == "FROM") :]
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def arguments(word: str) -> list[str]:
    return [rest for step, rest in LAST_STAGE if step == word]


def health_check() -> list[str]:
    """The command that the engine runs every few seconds, with this Python."""
    (line,) = arguments("HEALTHCHECK")
    command: list[str] = json.loads(line.partition("CMD ")[2])
    assert command[0] == "python"
    return [sys.executable, *command[1:]]


def is_healthy(port: int) -> bool:
    environment = clean_environment() | {"SHENYAN_PORT": str(port)}
    return subprocess.run(health_check(), env=environment, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("rest", [rest for word, rest in STEPS if word == "COPY" and not rest.startswith("--from")])
def test_copies_what_exists_and_is_not_ignored(rest: str) -> None:
    *sources, _ = rest.split()
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in IGNORED


def test_takes_nothing_else_along() -> None:
    copied = {source for word, rest in STEPS if word == "COPY" for source in rest.split()[:-1]}
    assert IGNORED[1] == "*"
    assert {line[1:] for line in IGNORED if line.startswith("!")} <= copied


def test_runs_as_an_ordinary_user_who_owns_the_data_folder() -> None:
    assert arguments("USER") == ["10001:10001"]
    assert arguments("VOLUME") == ["/data"]
    assert any("--owner shenyan" in each and each.endswith("/data") for each in arguments("RUN"))


def test_listens_where_others_can_reach_it() -> None:
    (environment,) = arguments("ENV")
    assert "SHENYAN_HOST=0.0.0.0" in environment
    assert "SHENYAN_DATA_DIR=/data" in environment
    assert arguments("EXPOSE") == ["8000"]
    assert json.loads(arguments("CMD")[0]) == ["shenyan", "serve"]


def test_libraries_are_installed_by_their_hashes() -> None:
    assert any("--require-hashes --requirement requirements.lock" in rest for word, rest in STEPS if word == "RUN")


def test_health_check_tells_a_living_service_from_none(tmp_path: Path) -> None:
    assert not is_healthy(free_port())
    with run_service([sys.executable, "-m", "service", "serve"], tmp_path) as url:
        assert is_healthy(int(url.rpartition(":")[2]))
