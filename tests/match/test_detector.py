from __future__ import annotations

import pytest

from service.errors import DataError
from service.lexicon.snapshot import Snapshot
from service.match.detector import compile_detectors


def test_every_detector_has_a_data_file(snapshot: Snapshot) -> None:
    names = {detector.name for detector in compile_detectors(snapshot.detectors)}
    assert names == {"accounts", "addresses", "cards", "emails", "ibans", "identities", "links", "payments", "phones"}
    assert names <= set(snapshot.detectors)


def test_a_missing_data_file_is_named(snapshot: Snapshot) -> None:
    words = {name: words for name, words in snapshot.detectors.items() if name != "phones"}
    with pytest.raises(DataError, match=r"detectors/phones\.toml: no such file"):
        compile_detectors(words)
