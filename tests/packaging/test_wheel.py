"""The wheel alone serves: lexicons and migrations are inside, and nothing is read from the repository."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import httpx
import pytest

import service
from tests.serving import clean_environment, run_service

ROOT = Path(service.__file__).parent.parent


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command outside of the repository."""
    return subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh wheel, built with the tools that are installed."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    built = run(sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, ROOT, folder=folder)
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `bin` of a new environment that has the wheel, and the libraries of this one."""
    home = tmp_path_factory.mktemp("environment")
    assert run(sys.executable, "-m", "venv", "--without-pip", home, folder=home).returncode == 0
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    done = run(sys.executable, "-m", "pip", "--python", home, "install", *options, wheel, folder=home)
    assert done.returncode == 0, done.stderr
    # Folders named in a .pth file come last and their own .pth files are not read, so `service` is the wheel's.
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return home / "bin"


def test_holds_all_that_the_service_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("lexicons", "migrations"):
        own = [
            path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix in {".toml", ".json", ".txt"}
        ]
        own += (ROOT / folder).glob("versions/*.py")
        missing = {f"service/_data/{path.relative_to(ROOT).as_posix()}" for path in own} - names
        assert not missing
    pages = {path for folder in ("clients", "api/demo") for path in (ROOT / "service" / folder).glob("*.[hcjp]*")}
    assert {path.suffix for path in pages} == {".py", ".js", ".html", ".css"}
    assert {path.relative_to(ROOT).as_posix() for path in pages} | {"service/py.typed"} <= names


def test_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"service", f"shenyan-{service.__version__}.dist-info"}


def test_names_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folder = f"shenyan-{service.__version__}.dist-info"
        assert {f"{folder}/licenses/LICENSE", f"{folder}/licenses/NOTICE"} <= set(archive.namelist())
        assert "License-Expression: Apache-2.0" in archive.read(f"{folder}/METADATA").decode()


def test_is_what_is_imported(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "python", "-c", "import service; print(service.__file__)", folder=tmp_path)
    assert Path(done.stdout.strip()).is_relative_to(installed.parent), done.stderr


def test_checks(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "shenyan", "check", "这款是高仿的", "--platform", "kuaishou", folder=tmp_path)
    assert done.returncode == 2, done.stderr


def test_serves(installed: Path, tmp_path: Path) -> None:
    with run_service([installed / "shenyan", "serve"], tmp_path) as url:
        assert httpx.get(f"{url}/readyz", trust_env=False).json()["status"] == "ready"
        key = (tmp_path / "var" / "admin.key").read_text(encoding="utf-8").strip()
        body = {"text": "这款是高仿的", "platform": "kuaishou", "shop_id": "s1", "agent_id": "a1"}
        answer = httpx.post(
            f"{url}/v1/moderate", json=body, headers={"Authorization": f"Bearer {key}"}, trust_env=False
        )
        assert json.loads(answer.content)["recorded"] == "database"
