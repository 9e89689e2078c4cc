"""Packages come from wherever the machine's own settings say: no registry is named in any file of the project."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import service

ROOT = Path(service.__file__).parent.parent
# Put together from pieces, or this file would name them itself.
REGISTRIES = [
    "py" + "pi.org",
    "py" + "pi.python.org",
    "python" + "hosted",
    "index" + "-url",
    "index" + "_url",
    "find" + "-links",
    "anaconda" + ".org",
    "npm" + "js",
    "yarn" + "pkg",
    "un" + "pkg",
    "js" + "delivr",
    "docker" + ".io",
    "gh" + "cr.io",
    "quay" + ".io",
    "mirrors" + ".",
]
FILES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    if name and (ROOT / name).is_file()
]


def test_files_are_seen() -> None:
    assert {ROOT / "requirements.lock", ROOT / "Makefile", ROOT / "Dockerfile"} <= set(FILES)


@pytest.mark.parametrize("registry", REGISTRIES)
def test_no_registry_is_named(registry: str) -> None:
    naming = [path.relative_to(ROOT) for path in FILES if registry.encode() in path.read_bytes().lower()]
    assert naming == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=[a-z])", text)
    assert len(entries) > 10
    for entry in entries:
        assert re.match(r"[a-z0-9-]+(?:\[[a-z,]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_service_installs_what_its_tests_run_on() -> None:
    """The tools' lock file holds the service's libraries in the same versions."""
    tools, own = ((ROOT / f"requirements{kind}.lock").read_text(encoding="utf-8") for kind in ("-dev", ""))
    pinned = re.compile(r"^([a-z0-9-]+(?:\[[a-z,]+\])?==\S+)", re.MULTILINE)
    assert set(pinned.findall(own)) <= set(pinned.findall(tools))
