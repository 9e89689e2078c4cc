"""The reference names all that there is, and nothing that there is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

import service
from service.api.app import create_app
from service.api.docs import MORE_ERRORS
from service.cli import app
from service.errors import ShenyanError
from service.lexicon.context import Context
from service.lexicon.frequency import Rule
from service.lexicon.policy import Clause, PlatformRules, Policy
from service.lexicon.term import ExceptionPhrase, Term
from service.settings import PREFIX, Settings
from service.vocabulary import CATEGORIES
from tests.docs.pages import read, rows

CODE = Path(service.__file__).parent
TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(CODE.rglob("*.py"))]
CALLS = [node for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.Call)]


def called(name: str, place: int) -> set[str]:
    """The texts that stand as argument `place` of calls of `name` in the code."""
    arguments = [call.args[place] for call in CALLS if ast.unparse(call.func).endswith(name) and len(call.args) > place]
    return {str(argument.value) for argument in arguments if isinstance(argument, ast.Constant)}


# Settings


def test_every_setting_is_there_with_its_default() -> None:
    documented = rows("docs/reference/settings.md")
    assert {name for name in documented if name.startswith(PREFIX)} == {
        PREFIX + name.upper() for name in Settings.model_fields
    }
    for name, field in Settings.model_fields.items():
        default = documented[PREFIX + name.upper()][1]
        if name == "lexicon_dir":
            assert default == "the shipped ones"
        elif field.default in (None, ""):
            assert default.startswith("unset")
        else:
            assert default == f"`{field.default}`"


# Errors


def error_kinds(kind: type[ShenyanError] = ShenyanError) -> Iterator[type[ShenyanError]]:
    yield kind
    for inner in kind.__subclasses__():
        if inner.__module__.startswith("service."):
            yield from error_kinds(inner)


def test_every_error_code_is_there_with_its_status() -> None:
    keywords = [word for call in CALLS for word in call.keywords if word.arg == "code"]
    raised = {word.value.value for word in keywords if isinstance(word.value, ast.Constant)}
    codes = {kind.code for kind in error_kinds()} | set(MORE_ERRORS) | raised
    documented = rows("docs/reference/errors.md")
    assert {name for name, cells in documented.items() if len(cells) == 4} == codes
    for kind in error_kinds():
        if kind.code != "bad_data":
            assert documented[kind.code][1] == str(kind.status)
    for code, meaning in MORE_ERRORS.items():
        assert documented[code][1] == meaning[:3]


# Command line


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its whole name."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, each in inner.items():
        yield from commands(each, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(app), "shenyan"))


def test_every_command_is_there() -> None:
    text = read("docs/reference/command-line.md")
    documented = {
        re.sub(r" \[?[A-Z]+\]?$", "", name) for name in re.findall(r"^\| `(shenyan [^`]+)`", text, re.MULTILINE)
    }
    assert documented == set(COMMANDS)


def test_every_option_is_there_with_its_default() -> None:
    text = read("docs/reference/command-line.md")
    documented = set(re.findall(r"^\| `([a-z ]+)` \| `(--[a-z-]+)` \|", text, re.MULTILINE))
    options = {
        (path.removeprefix("shenyan "), option.opts[0])
        for path, command in COMMANDS.items()
        for option in command.params
        if option.param_type_name == "option" and option.name != "help"
    }
    assert documented == options


# API


def test_every_route_is_there_with_its_roles() -> None:
    text = read("docs/reference/api.md")
    documented = {
        (method, path): set(roles.split(", "))
        for method, path, roles in re.findall(r"^\| `([A-Z]+) (/v1[^`]*)` \| ([a-z, ]+) \|", text, re.MULTILINE)
    }
    open_to_all = set(re.findall(r"^\| `([A-Z]+) (/(?:(?!v1)|v1/hooks/)[^`]*)` \|", text, re.MULTILINE))
    paths = create_app(Settings()).openapi()["paths"]
    operations = {(method.upper(), path): op for path, ops in paths.items() for method, op in ops.items()}
    assert documented == {key: set(op["x-roles"]) for key, op in operations.items() if "x-roles" in op}
    assert open_to_all == {key for key, op in operations.items() if "x-roles" not in op}


def test_every_field_of_an_answer_is_there() -> None:
    documented = rows("docs/how-to/read-an-answer.md")
    schemas = create_app(Settings()).openapi()["components"]["schemas"]
    names = ("Answer", "FindingOut", "Penalty", "ForecastOut")
    assert {field for name in names for field in schemas[name]["properties"]} <= set(documented)


def test_every_field_of_a_request_is_there() -> None:
    documented = rows("docs/how-to/connect-a-chat-client.md")
    schemas = create_app(Settings()).openapi()["components"]["schemas"]
    assert set(schemas["ModerateBody"]["properties"]) <= set(documented)


# Lexicon files


def encoded_fields(*kinds: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)}


def test_every_category_is_there() -> None:
    assert set(CATEGORIES) <= set(rows("docs/reference/lexicon.md"))


@pytest.mark.parametrize("kind", [Term, ExceptionPhrase, Context, Rule, Policy, Clause, PlatformRules])
def test_every_field_of_a_data_file_is_there(kind: type[msgspec.Struct]) -> None:
    text = read("docs/reference/lexicon.md")
    missing = {name for name in encoded_fields(kind) if not re.search(rf"[`.\[]{name}[`\]]", text)}
    assert not missing


def test_every_complaint_of_lint_is_there() -> None:
    rules = called("Complaint", 0) | called("complain_about_hits", 0)
    assert rules
    assert rules <= set(rows("docs/reference/lexicon.md"))


# Findings


def test_every_check_is_there() -> None:
    checks = called("Dismissed", 0) | called("Dismissal", 1)
    assert {"exception", "word_boundary", "policy", "contained"} <= checks
    assert checks == set(section("Checks"))


def test_every_disguise_is_there() -> None:
    tree = ast.parse((CODE / "match" / "disguise.py").read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    documented = set(section("Disguises"))
    assert documented <= texts
    assert len(documented) == 12


def test_every_detector_is_there() -> None:
    modules = {path.stem for path in (CODE / "match" / "detectors").glob("[a-z]*.py")}
    assert set(section("Detectors")) == modules | {"terms", "pictures", "frequency", "fail_action"}


def section(heading: str) -> dict[str, list[str]]:
    """The rows of one section of the page about findings."""
    text = read("docs/reference/findings.md").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {word: [] for word in re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)}
