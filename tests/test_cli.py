"""The command line: what it prints, and the exit codes that scripts rely on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click import unstyle
from typer.testing import CliRunner, Result

from service import cli
from service.engine import Engine
from service.errors import ShenyanError
from service.lexicon.snapshot import Snapshot
from service.live import Live
from service.settings import shipped_lexicons

BLOCKED, WARNED, CLEAN = "这款是高仿的", "国家级品质", "亲，已经为您安排发货了"


@pytest.fixture(autouse=True)
def _data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHENYAN_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch, engine: Engine, snapshot: Snapshot) -> None:
    """`check` with the engine of the session: compiling one takes a second."""
    monkeypatch.setattr(cli, "load_live", lambda *_: Live(engine, snapshot))


def run(*arguments: str, text: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli.app, arguments, input=text)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(("text", "code", "action"), [
    (CLEAN, 0, "allow"), (WARNED, 1, "warn"), (BLOCKED, 2, "block"),
])  # fmt: skip
def test_check_says_its_action_by_exit_code(text: str, code: int, action: str) -> None:
    result = run("check", text, "--platform", "kuaishou")
    assert result.exit_code == code
    assert unstyle(result.stdout).startswith(f"{action}  {text}\n")


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("arguments", [("check",), ("check", "-")])
@pytest.mark.parametrize("text", [BLOCKED, f"{BLOCKED}\n", f"{BLOCKED}\r\n", BLOCKED.encode()])
def test_check_reads_standard_input(arguments: tuple[str, ...], text: str | bytes) -> None:
    result = run(*arguments, text=text)
    assert result.exit_code == 2
    assert unstyle(result.stdout).startswith(f"block  {BLOCKED}\n")


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("text", [
    "这款是高仿的".encode("gbk"), BLOCKED.encode() + b"\xff\xfe", BLOCKED.encode()[:-1], "好".encode() * 5_000 + b"\xe5",
])  # fmt: skip
def test_input_that_is_no_utf8_is_refused_and_not_allowed_unread(text: bytes) -> None:
    result = run("check", text=text)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "not UTF-8" in result.stderr


@pytest.mark.usefixtures("compiled")
def test_a_byte_order_mark_is_no_part_of_the_message() -> None:
    assert unstyle(run("check", text=BLOCKED.encode("utf-8-sig")).stdout).startswith(f"block  {BLOCKED}\n")


@pytest.mark.usefixtures("compiled")
def test_check_knows_platform_and_channel() -> None:
    assert "pinduoduo 2.2" in run("check", "kefu@example.com", "--platform", "pinduoduo").stdout
    reply = run("check", "好评返现", "--platform", "kuaishou", "--channel", "review_reply")
    assert "kuaishou review 3.2" in reply.stdout


@pytest.mark.usefixtures("compiled")
def test_check_explains_on_demand() -> None:
    assert "passed" not in run("check", "高仿真花").stdout
    explained = run("check", "高仿真花", "--explain")
    assert explained.exit_code == 0
    assert "exception: inside 高仿真" in explained.stdout


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(("arguments", "text", "problem"), [
    (("check", CLEAN, "--platform", "amazon"), None, "--platform should be one of pinduoduo, kuaishou"),
    (("check", CLEAN, "--channel", "email"), None, "--channel should be one of chat, review_reply"),
    (("check", ""), None, "the message is empty"),
    (("check", " \u3000\n"), None, "the message is empty"),
    (("check",), "", "the message is empty"),
    (("check",), "\n", "the message is empty"),
    (("check", "好" * 10_001), None, "longer than 10000 characters"),
    (("check",), "好" * 10_001, "longer than 10000 characters"),
    (("check",), "🐧" * 20_000, "longer than 10000 characters"),
    (("check",), "好" * 20_000, "longer than 10000 characters"),
])  # fmt: skip
def test_what_cannot_be_checked_has_a_code_of_its_own(
    arguments: tuple[str, ...], text: str | None, problem: str
) -> None:
    result = run(*arguments, text=text)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert problem in result.stderr


@pytest.mark.usefixtures("compiled")
def test_the_longest_message_is_checked() -> None:
    assert run("check", "好" * 9_998 + "高仿").exit_code == 2
    assert run("check", text="🐧" * 10_000).exit_code in {0, 1, 2}


def test_check_refuses_a_bad_lexicon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHENYAN_LEXICON_DIR", str(tmp_path))
    result = run("check", CLEAN)
    assert result.exit_code == 3
    assert "no lexicon here" in result.stderr


def test_check_refuses_bad_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHENYAN_PROT", "1")
    result = run("check", CLEAN)
    assert result.exit_code == 3
    assert "SHENYAN_PROT: no such setting; did you mean SHENYAN_PORT?" in result.stderr


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The shipped files with a single term, without ordinary sentences."""
    folder = Path(shutil.copytree(shipped_lexicons(), tmp_path / "lexicons"))
    for part in ("terms", "corpus"):
        for path in (folder / part).iterdir():
            path.unlink()
    (folder / "exceptions.toml").write_text("", encoding="utf-8")
    (folder / "contexts.toml").write_text("", encoding="utf-8")
    (folder / "terms" / "abuse.toml").write_text(
        'category = "abuse"\n[[term]]\nid = "abuse/one"\npattern = "甲乙丙"\nseverity = "high"\nmatch = "substring"\n'
        'reason = { zh-CN = "不可以", en = "not allowed" }\nhits = ["有甲乙丙"]\n',
        encoding="utf-8",
    )
    return folder


def test_lint_of_a_good_lexicon(small: Path) -> None:
    result = run("lexicon", "lint", str(small))
    assert (result.exit_code, result.stdout) == (0, "1 terms, 0 ordinary sentences, 0 complaints\n")


def test_lint_prints_a_line_for_each_complaint(small: Path) -> None:
    path = small / "terms" / "abuse.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("有甲乙丙", "有甲乙"), encoding="utf-8")
    result = run("lexicon", "lint", str(small))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "missed: abuse/one: does not find 「有甲乙」",
        "1 terms, 0 ordinary sentences, 1 complaints",
    ]


def test_lint_of_a_broken_file_shows_the_place(small: Path) -> None:
    path = small / "terms" / "abuse.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("severity", "severty"), encoding="utf-8")
    result = run("lexicon", "lint", str(small))
    assert isinstance(result.exception, ShenyanError)
    assert f"{path}:5:1: Object contains unknown field `severty`" in str(result.exception)


def test_migrate_can_be_done_twice(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert [run("migrate").exit_code for _ in range(2)] == [0, 0]
    assert (tmp_path / "data" / "shenyan.db").is_file()


@pytest.mark.parametrize("role", ["client", "editor", "supervisor", "admin"])
def test_a_key_is_printed_and_nothing_else(role: str) -> None:
    result = run("keys", "create", "till 3", "--role", role, "--rate-limit", "100/second", "--tenant", "acme")
    assert result.exit_code == 0
    assert result.stdout.startswith("sk_")
    assert len(result.stdout.split()) == 1


@pytest.mark.parametrize(("arguments", "problem"), [
    (("till 3", "--role", "owner"), "client"), (("till 3", "--rate-limit", "often"), "100/second"),
    (("",), "1 to 128"), ((" ",), "1 to 128"), (("n" * 129,), "1 to 128"), (("till 3", "--tenant", ""), "1 to 128"),
])  # fmt: skip
def test_a_key_is_refused_with_what_would_be_right(arguments: tuple[str, ...], problem: str) -> None:
    result = run("keys", "create", *arguments)
    assert result.exit_code == 2
    assert problem in unstyle(result.stderr)


@pytest.mark.parametrize("arguments", [(), ("lexicon",), ("keys",)])
def test_without_a_command_the_help_is_shown(arguments: tuple[str, ...]) -> None:
    assert "Usage" in unstyle(run(*arguments).output)


def test_the_module_is_the_command_and_errors_are_sentences(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "service", "lexicon", "lint", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert process.returncode == 1
    assert process.stderr == f"{tmp_path}: no lexicon here; it needs at least terms/, platforms/ and tables/\n"
