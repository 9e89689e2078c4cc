"""Bundles on the disk: whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.bundles import KEPT, Bundles

SECTIONS = {"a": b"one", "b": b"two" * 1000}


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "other"])
def test_a_damaged_bundle_is_none_and_can_be_made_anew(tmp_path: Path, damage: str) -> None:
    bundles = Bundles(tmp_path)
    bundles.write("t", "k", SECTIONS)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    changed = whole[:100] + bytes([whole[100] ^ 1]) + whole[101:]
    path.write_bytes({"cut": whole[:-40], "changed": changed, "empty": b"", "other": b"x" * 100}[damage])
    assert bundles.open("t", "k") is None
    bundles.write("t", "k", SECTIONS)
    found = bundles.open("t", "k")
    assert found is not None
    assert {name: bytes(data) for name, data in found.items()} == SECTIONS


def test_the_newest_of_each_tenant_are_kept_and_an_open_one_outlives_its_name(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path)
    bundles.write("other", "k", SECTIONS)
    bundles.write("t", "0", SECTIONS)
    first = bundles.open("t", "0")
    for number in range(1, KEPT + 1):
        for path in tmp_path.iterdir():
            os.utime(path, (0, path.stat().st_mtime - 10))
        bundles.write("t", str(number), SECTIONS)
    assert [bundles.has("t", str(number)) for number in range(KEPT + 1)] == [False, *[True] * KEPT]
    assert bundles.has("other", "k")
    assert first is not None
    assert bytes(first["b"]) == SECTIONS["b"]
    assert len(list(tmp_path.iterdir())) == KEPT + 1, "nothing that was begun lies about"


def test_what_can_not_be_written_leaves_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundles = Bundles(tmp_path)
    bundles.write("t", "k", SECTIONS)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        bundles.write("t", "k", {"a": b"half"})
    found = bundles.open("t", "k")
    assert found is not None
    assert bytes(found["a"]) == b"one"
    assert len(list(tmp_path.iterdir())) == 1
