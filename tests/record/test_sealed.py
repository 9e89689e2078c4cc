from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import DataError
from service.record.sealed import Sealer, open_sealer
from service.settings import Settings
from tests.record.factories import race

FIRST, SECOND = "a first key of length", "a second key of length"


def test_what_was_sealed_is_opened_again_and_cannot_be_read() -> None:
    sealer = Sealer(FIRST)
    sealed = sealer.seal("密钥 whsec_abc")
    assert "whsec" not in sealed
    assert sealed != sealer.seal("密钥 whsec_abc")
    assert sealer.open(sealed) == "密钥 whsec_abc"


def test_an_earlier_key_still_opens() -> None:
    sealed = Sealer(FIRST).seal("secret")
    settings = Settings(secret_key=f"{SECOND}, {FIRST}")  # type: ignore[arg-type]
    assert open_sealer(settings).open(sealed) == "secret"
    with pytest.raises(DataError, match="another key"):
        Sealer(SECOND).open(sealed)


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 characters"):
        Settings(secret_key="short")  # type: ignore[arg-type]


def test_a_random_key_is_kept_for_this_user_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    sealed = open_sealer(settings).seal("secret")
    assert settings.secret_file.stat().st_mode & 0o777 == 0o600
    assert open_sealer(settings).open(sealed) == "secret"
    assert [file.name for file in settings.data_dir.iterdir()] == ["secret.key"]


def test_processes_that_start_at_once_keep_one_key(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from service.record.sealed import _kept_key\n"
        "print('ready', flush=True); sys.stdin.readline(); print(_kept_key(Path(sys.argv[1])))"
    )
    assert len(set(race(3, script, str(tmp_path / "secret.key")))) == 1
