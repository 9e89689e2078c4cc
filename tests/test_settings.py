"""Every setting has a default and a description; what can't be used is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.settings import Settings, read_settings


def test_defaults() -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert settings.database_url == f"sqlite+aiosqlite:///{Path('var').absolute()}/shenyan.db"
    assert (settings.lexicon_dir / "terms").is_dir()
    assert settings.admin_key is None
    assert settings.keep_evidence is False


def test_every_setting_says_what_it_does() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHENYAN_PORT", "9000")
    monkeypatch.setenv("SHENYAN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SHENYAN_LOG_LEVEL", "WARNING")
    monkeypatch.setenv("SHENYAN_REDIS_URL", "")
    settings = read_settings()
    assert (settings.port, settings.data_dir, settings.log_level) == (9000, tmp_path, "warning")
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/shenyan.db"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SHENYAN_PORT", "80000", "SHENYAN_PORT: "),
        ("SHENYAN_PORT", "http", "SHENYAN_PORT: "),
        ("SHENYAN_WORKERS", "0", "SHENYAN_WORKERS: "),
        ("SHENYAN_LOG_LEVEL", "loud", "SHENYAN_LOG_LEVEL: "),
        ("SHENYAN_ADMIN_KEY", "with blank", "SHENYAN_ADMIN_KEY: "),
        ("SHENYAN_REDIS_URL", "localhost:6379", "SHENYAN_REDIS_URL: "),
        ("SHENYAN_CORS_ORIGINS", "*", "SHENYAN_CORS_ORIGINS: "),
        ("SHENYAN_CORS_ORIGINS", "https://a.example,https://b.example/chat", "b.example/chat is no origin"),
        ("SHENYAN_CONVERSATION_SECONDS", "0", "SHENYAN_CONVERSATION_SECONDS: "),
        ("SHENYAN_WORKRS", "2", "SHENYAN_WORKRS: no such setting; did you mean SHENYAN_WORKERS?"),
    ],
)
def test_what_cannot_be_used_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="SHENYAN") as refused:
        read_settings()
    assert says in str(refused.value)
    if name == "SHENYAN_ADMIN_KEY":
        assert value not in str(refused.value)


def test_what_kubernetes_puts_there_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHENYAN_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("SHENYAN_PORT_8000_TCP_ADDR", "10.0.0.1")
    read_settings()


def test_the_admin_key_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHENYAN_ADMIN_KEY", "very-secret")
    monkeypatch.setenv("SHENYAN_REDIS_URL", "redis://:very-secret@localhost:6379/0")
    assert "very-secret" not in repr(read_settings())
