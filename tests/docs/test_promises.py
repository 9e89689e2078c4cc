"""A promise names its tests, and they are there."""

from __future__ import annotations

import ast
import re

from tests.docs.pages import ROOT, read

PAGE = read("docs/why/promises.md")


def functions() -> set[str]:
    """Every test function of this project."""
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
    return found


def test_every_promise_names_tests_that_exist() -> None:
    promises = re.findall(r"^\| (\d+) \| .+? \| (.+) \|$", PAGE, re.MULTILINE)
    assert [number for number, _ in promises] == [str(number) for number in range(1, 16)]
    for number, tests in promises:
        assert "`test_" in tests, number
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named - functions() == set()
