"""Lexicons kept as files, put into a running service and taken out again: what is printed, and the exit codes."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import httpx
import pytest
import uvicorn
from typer.testing import CliRunner, Result

from service import cli
from service.api.app import create_app
from service.engine import Engine
from service.lexicon.snapshot import Snapshot
from service.live import Live
from service.settings import Settings

KEY = "test-admin-key"
LINES = """\
{"id": "contact/pigeon", "pattern": "蓝鸽号", "category": "contact", "severity": "high", "match": "substring"}
{"id": "contact/dove", "pattern": "绿鸽号", "category": "contact", "severity": "low", "match": "substring"}
"""


@pytest.fixture(scope="module")
def url(
    engine: Engine, snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory, _migrated_sqlite: Path
) -> Iterator[str]:
    """A running service, in a thread: the command line waits for its answers."""
    folder = tmp_path_factory.mktemp("service")
    shutil.copy(_migrated_sqlite, folder / "shenyan.db")
    app = create_app(Settings(data_dir=folder, admin_key=KEY), Live(engine, snapshot))  # type: ignore[arg-type]
    server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="on", log_config=None))
    with socket.socket() as listening, ThreadPoolExecutor(1) as thread:
        listening.bind(("127.0.0.1", 0))
        serving = thread.submit(server.run, [listening])
        try:
            while not server.started:
                assert not serving.done(), serving.result()
                sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            serving.result(20)


@pytest.fixture(autouse=True)
def _remote(monkeypatch: pytest.MonkeyPatch, url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("SHENYAN_URL", url)
    monkeypatch.setenv("SHENYAN_KEY", KEY)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, text: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli.app, ["lexicon", *arguments], input=text)


def told(result: Result) -> tuple[int, str]:
    return result.exit_code, result.output


def test_the_whole_road_and_each_step_twice(tmp_path: Path) -> None:
    file, out = tmp_path / "words.jsonl", tmp_path / "out.jsonl"
    file.write_text(LINES, encoding="utf-8")
    words = ("--lexicon", "words")
    assert told(run("import", str(file), *words)) == (1, "there is no lexicon words; add --create\n")
    assert told(run("import", str(file), *words, "--create", "--dry-run")) == (
        0, "+ term contact/dove\n+ term contact/pigeon\n2 changes, not made\n",
    )  # fmt: skip
    assert run("export", *words).exit_code == 1
    made = run("import", str(file), *words, "--create", "--reason", "第一次")
    assert told(made) == (0, "+ term contact/dove\n+ term contact/pigeon\n2 changes in the draft of words\n")
    assert told(run("import", str(file), *words)) == (0, "nothing changed\n")
    assert run("diff", *words).output.startswith("+ term contact/dove\n+ term contact/pigeon\n2 changes: nothing -> ")
    assert run("lint", *words).output.endswith("publishable\n")
    first = run("publish", *words, "--note", "campaign")
    assert first.exit_code == 0, first.output
    assert told(run("publish", *words)) == (0, f"nothing changed: {first.output}")
    assert told(run("diff", *words)) == (0, "nothing changed\n")
    assert told(run("export", str(out), *words)) == (0, "")
    assert told(run("import", str(out), *words)) == (0, "nothing changed\n")

    less = LINES.splitlines()[0].replace('"high"', '"low"')
    kept = run("import", "-", *words, "--format", "jsonl", "--merge", "--dry-run", text=less)
    assert told(kept) == (0, "~ term contact/pigeon\n1 changes, not made\n")
    changed = run("import", "-", *words, "--format", "jsonl", text=less)
    assert told(changed) == (0, "- term contact/dove\n~ term contact/pigeon\n2 changes in the draft of words\n")
    second = run("publish", *words)
    assert second.output != first.output
    version = first.output.strip()
    assert told(run("rollback", version, *words)) == (0, first.output)
    assert told(run("rollback", version, *words)) == (0, f"nothing changed: {version}\n")
    assert [line.split("\t")[2:] for line in run("versions", *words).output.splitlines()] == [
        ["rollback"], ["publish"], ["publish", "campaign"],
    ]  # fmt: skip


def test_what_is_refused_names_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("id,pattern,category,severity\ncontact/a,鸽,nothing,high\ncontact/b,蓝鸽,contact,high\n", "utf-8")
    refused = run("import", str(file), "--lexicon", "bad", "--create")
    assert (refused.exit_code, refused.stderr.splitlines()[0].startswith("line 2: ")) == (1, True)
    assert refused.stderr.splitlines()[1] == "1 of 2 lines can't be taken, so none was"
    taken = run("import", str(file), "--lexicon", "bad", "--create", "--partial")
    assert (taken.exit_code, taken.stdout) == (0, "+ term contact/b\n1 changes in the draft of bad\n")
    word = run(
        "import", "-", "--lexicon", "bad", "--format", "words", "--category", "contact", text="您\n".encode("gb18030")
    )
    assert word.exit_code == 0, word.output
    wrong = run("publish", "--lexicon", "bad")
    assert (wrong.exit_code, "ordinary_sentence: " in wrong.stderr) == (1, True)
    lint = run("lint", "--lexicon", "bad")
    assert (lint.exit_code, lint.output.splitlines()[-1]) == (1, "not publishable")
    utf16 = run("import", "-", "--lexicon", "bad", text="id,pattern".encode("utf-16"))
    assert (utf16.exit_code, "UTF-16" in utf16.stderr) == (1, True)


def test_wrong_usage_and_a_service_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = ("--lexicon", "words")
    (tmp_path / "no-key").write_bytes(b"\xff\xfe")
    run("import", "-", *words, "--merge", "--create", "--format", "words", "--category", "contact", text="红鸽号\n")
    for arguments in (
        ("import", "nothing.csv", *words), ("import", "-", *words, "--format", "xml"), ("export",),
        ("export", *words, "--encoding", "big5"), ("import", "-", *words, "--format", "words", "--category", "zz"),
        ("import", "-", *words, "--severity", "zz"), ("versions", *words, "--key-file", "no-key"),
    ):  # fmt: skip
        assert run(*arguments, text="").exit_code == 2
    assert run("export", "nowhere/x.csv", *words).exit_code == 2
    assert run("import", "-", *words, "--create", text="\n").stderr == "- is empty\n"
    monkeypatch.setenv("SHENYAN_KEY", "wrong")
    assert run("versions", *words).exit_code == 1
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert run("versions", "--lexicon", "none", "--key-file", "key").stderr.startswith("there is no lexicon none")
    monkeypatch.delenv("SHENYAN_KEY")
    assert run("versions", *words).exit_code == 2
    monkeypatch.setenv("SHENYAN_URL", "http://127.0.0.1:9")
    assert run("versions", *words, "--key-file", "key").exit_code == 3


def test_the_reason_is_in_the_audit_log(url: str, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("红鸽号\n", encoding="utf-8")
    reason = ("--reason", "为了大促")
    run("import", "words.txt", "--lexicon", "audited", "--create", "--category", "contact", *reason)
    entries = httpx.get(f"{url}/v1/audit?limit=2", headers={"Authorization": f"Bearer {KEY}"}).json()["items"]
    assert [(each["action"], each["reason"]) for each in entries] == [
        ("lexicon.import", "为了大促"), ("lexicon.create", "为了大促"),
    ]  # fmt: skip
