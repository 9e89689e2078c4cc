"""What the documentation says to type works: shell lines against a running service, and the code that is shown.

Blocks marked `bash` are run word for word, but for the port; those marked `sh` change the machine and are for reading, or
are an editor's, of a lexicon of his own.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import PAGES, ROOT, blocks, name_of
from tests.serving import clean_environment, free_port, run_service

# A refusal by the service fails the script; each answer gets a line.
PRELUDE = "set -euo pipefail\ncurl() { command curl --noproxy '*' --fail-with-body -w '\\n' \"$@\"; }\n"
READMES = ["README.md", "README.zh-CN.md"]
RUNNABLE = [name_of(page) for page in PAGES if any(block.language == "bash" for block in blocks(name_of(page)))]
VOLATILE = {"request_id", "incident_id", "latency_ms"}
BLOCKED = {"text": "这款是高仿的", "platform": "kuaishou", "shop_id": "s1", "agent_id": "a1"}
WARNED = {**BLOCKED, "text": "这款全网最低价，放心买"}
ALLOWED = {**BLOCKED, "text": "亲，已经为您安排发货了"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service runs; `.venv` is there as in the project's own folder."""
    folder = tmp_path_factory.mktemp("project")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """A service as `make serve` starts it, on another port."""
    with run_service([".venv/bin/shenyan", "serve"], folder) as url:
        yield url


def run(script: str, folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in bash where the service runs."""
    return subprocess.run(
        ["bash", "-c", PRELUDE + script.replace("http://127.0.0.1:8000", url)],
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_readmes_have_lines_to_run() -> None:
    assert set(READMES) | {"docs/quickstart.md"} <= set(RUNNABLE)


@pytest.mark.parametrize("name", RUNNABLE)
def test_shell_lines_work(name: str, folder: Path, url: str) -> None:
    done = run("".join(block.text for block in blocks(name) if block.language == "bash"), folder, url)
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert not [answer for answer in answers if answer.get("status", 200) >= 400]


@pytest.mark.parametrize("name", READMES)
def test_the_answer_that_is_shown_is_the_one_that_comes(name: str, folder: Path, url: str) -> None:
    (shown,) = (json.loads(block.text) for block in blocks(name) if block.language == "json")
    first = next(block.text for block in blocks(name) if block.language == "bash")
    given = json.loads(run(first, folder, url).stdout)
    assert steady(given) == steady(shown), "show the new one with python -m tests.docs.rewrite"


def steady(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what differs from one time to the next."""
    versions = {name: value for name, value in answer["versions"].items() if name != "lexicon"}
    return {name: value for name, value in answer.items() if name not in VOLATILE} | {"versions": versions}


def test_the_quickstart_says_what_happens(folder: Path, url: str) -> None:
    script = "".join(block.text for block in blocks("docs/quickstart.md") if block.language == "bash")
    blocked, incidents, allowed, _, analyzed = map(json.loads, run(script, folder, url).stdout.splitlines())
    assert (blocked["decision"], allowed["decision"], allowed["recorded"]) == ("block", "allow", "none")
    assert blocked["incident_id"] in {incident["id"] for incident in incidents["items"]}
    assert [each["check"] for each in analyzed["dismissed"]] == ["own_account"]


EDITOR = ("add-a-word-at-once", "stop-a-false-hit", "prepare-a-campaign", "roll-back-at-night")
"""Pages whose blocks are for `$URL` and `$KEY`, one after the other, by a tenant of their own."""


def test_an_editors_pages_work_one_after_the_other(folder: Path, url: str) -> None:
    key = run(".venv/bin/shenyan keys create pages --role admin --tenant pages", folder, url).stdout.split()[-1]
    (folder / "words.txt").write_text("绿鸽号\n灰鸽号\n", encoding="utf-8")
    publish = next(block.text for block in blocks("docs/how-to/add-a-word-at-once.md") if "/publish" in block.text)
    lines = [f"export URL={url} KEY={key} ADMIN={key}"]
    for page in EDITOR:
        # What was changed on the page before is published, as it says.
        lines += [publish] * (page == "roll-back-at-night")
        lines += [block.text for block in blocks(f"docs/how-to/{page}.md") if block.language == "sh"]
    done = run("\n".join(lines), folder, url)
    assert done.returncode == 0, done.stdout + done.stderr


# The clients


def python_client(name: str) -> str:
    (code,) = (block.text for block in blocks(name) if block.language == "python")
    return f"""{code}
import json, sys
shown = []
answer = may_send(json.load(sys.stdin), lambda *texts: shown.append(texts) or True)
print(json.dumps([answer, len(shown)]))
"""


@pytest.mark.parametrize("name", READMES)
@pytest.mark.parametrize(
    ("message", "expected"),
    [(ALLOWED, [True, 0]), (WARNED, [True, 1]), (BLOCKED, [False, 0])],
    ids=["allow", "warn", "block"],
)
def test_the_client_honours_the_decision(
    name: str, message: dict[str, Any], expected: list[Any], folder: Path, url: str
) -> None:
    assert ask(name, message, folder, url) == expected


@pytest.mark.parametrize("name", READMES)
def test_the_client_takes_the_fail_action_when_no_answer_comes(name: str, folder: Path, url: str) -> None:
    assert ask(name, ALLOWED, folder, url.replace(url.rpartition(":")[2], str(free_port()))) == [True, 1]


def ask(name: str, message: dict[str, Any], folder: Path, at: str) -> Any:
    """[whether it is sent, how often the agent was asked], by the client that the page shows."""
    key = (folder / "var" / "admin.key").read_text(encoding="utf-8").strip()
    # A machine that is busy with tests may take its time.
    program = python_client(name).replace("http://127.0.0.1:8000", at).replace("on_failure=", "timeout=5, on_failure=")
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(message),
        env=clean_environment() | {"MODERATION_KEY": key, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Adding things

ASK = """
import json
from datetime import date
from service.engine import Engine
from service.lexicon.load import load_snapshot
from service.lint import lint
from service.settings import shipped_lexicons
from service.show import show_decision
from service.text.message import Message

snapshot = load_snapshot(shipped_lexicons())
engine = Engine.compile(snapshot)
rules = engine.platforms["kuaishou"]
shown = {text: show_decision(text, engine.decide(Message(text, "generic")), explain=True) for text in TEXTS}
print(json.dumps({
    "shown": shown,
    "complaints": [str(complaint) for complaint in lint(snapshot, engine)],
    "policies": [rules.policy_on(date(2098, 12, 31)).id, rules.policy_on(date(2099, 1, 1)).id],
    "action": rules.policy_on(date(2099, 1, 1)).action("counterfeit", "medium"),
}))
"""
FOUND = {
    "留个蓝鸽号吧": ("block", "contact/langehao"),
    "蓝鸽号游轮的船票周五发货": ("allow", "exception: inside 蓝鸽号游轮"),
    "入会 一二三-456-789": ("block", "form of a meeting's number"),
}


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a copy of the code and its data says once all that the how-to pages add was added."""
    folder = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "service", folder / "service", ignore=shutil.ignore_patterns("__pycache__", "_data"))
    shutil.copytree(ROOT / "lexicons", folder / "lexicons")
    for page in ("add-a-word", "add-an-exception", "add-a-platform-policy", "add-a-detector"):
        added = [block for block in blocks(f"docs/how-to/{page}.md") if block.file]
        assert added
        for block in added:
            with (folder / block.file).open("a", encoding="utf-8") as file:
                file.write(f"\n{block.text}")
    done = subprocess.run(
        [sys.executable, "-c", f"TEXTS = {list(FOUND)!r}\n{ASK}"],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize("text", FOUND)
def test_what_the_pages_add_is_found(extended: dict[str, Any], text: str) -> None:
    decision, words = FOUND[text]
    assert decision in extended["shown"][text].partition("  ")[0]
    assert words in extended["shown"][text]


def test_what_the_pages_add_passes_lint(extended: dict[str, Any]) -> None:
    ours = re.compile("蓝鸽|兰鸽|langehao|meetings")
    assert not [complaint for complaint in extended["complaints"] if ours.search(complaint)]


def test_the_policy_that_a_page_adds_is_in_force_from_its_day(extended: dict[str, Any]) -> None:
    before, after = extended["policies"]
    assert (before != after, after, extended["action"]) == (True, "2099-01", "block")
