"""The segmenter's dictionary as it is kept between two starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.verify.words import CACHED, Words

TEXT = "亲加我微信发您退款链接"


def test_what_is_kept_is_read_and_what_is_damaged_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, file = ["微信", "加我微"], tmp_path / CACHED
    first = Words(own, tmp_path).spans(TEXT)
    kept = file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("jieba.Tokenizer.initialize", lambda _: pytest.fail("the library reads it once more"))
        assert Words(own, tmp_path).spans(TEXT) == first
    file.write_bytes(kept[: len(kept) // 2])
    assert Words(own, tmp_path).spans(TEXT) == first
    assert file.read_bytes() == kept
