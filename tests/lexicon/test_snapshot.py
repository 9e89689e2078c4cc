from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from service.lexicon.load import load_snapshot
from service.lexicon.snapshot import Snapshot
from service.lexicon.term import ExceptionPhrase
from service.settings import shipped_lexicons


def test_equal_content_has_equal_versions(snapshot: Snapshot) -> None:
    assert replace(snapshot).version == snapshot.version
    assert replace(snapshot, terms=snapshot.terms[::-1]).version == snapshot.version
    name, _, digest = snapshot.version.partition("@")
    assert (name, len(digest)) == ("builtin", 12)
    assert int(digest, 16) >= 0


@pytest.mark.parametrize("change", [
    {"severity": "low"}, {"pattern": "另一个"}, {"except_": ("别的",)}, {"hits": ("别的",)}, {"platforms": ("jd",)},
])  # fmt: skip
def test_any_change_of_a_term_changes_the_version(snapshot: Snapshot, change: dict[str, object]) -> None:
    first, *others = snapshot.terms
    changed = replace(snapshot, terms=(msgspec.structs.replace(first, **change), *others))
    assert changed.version != snapshot.version


def test_so_does_a_change_of_what_decides_beside_the_terms(snapshot: Snapshot) -> None:
    versions = {
        snapshot.version,
        replace(snapshot, lexicon="shop").version,
        replace(snapshot, terms=snapshot.terms[1:]).version,
        replace(snapshot, exceptions=(*snapshot.exceptions, ExceptionPhrase(phrase="别的"))).version,
        replace(snapshot, contexts=snapshot.contexts[1:]).version,
        replace(snapshot, sound_support={}).version,
        replace(snapshot, detectors={**snapshot.detectors, "cards": {}}).version,
    }
    assert len(versions) == 7


def test_ordinary_sentences_do_not_change_it(snapshot: Snapshot) -> None:
    assert replace(snapshot, corpus=()).version == snapshot.version


def test_files_of_equal_content_have_equal_versions_wherever_they_lie(tmp_path: Path) -> None:
    one = Path(shutil.copytree(shipped_lexicons(), tmp_path / "one"))
    other = Path(shutil.copytree(one, tmp_path / "other"))
    assert load_snapshot(one).version == load_snapshot(other).version
