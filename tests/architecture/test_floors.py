"""Keeps the floors: who may import whom, who owns which library, and how large a file may grow."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import service

ROOT = Path(service.__file__).parent
FLOORS: dict[str, float] = {
    "service.errors": 0,
    "service.clock": 0,
    "service.figures": 0,
    "service.settings": 0,
    "service.vocabulary": 0,
    "service.clients": 0,
    "service.compact": 1.05,
    "service.text": 1.1,
    "service.normalise": 1.2,
    "service.lexicon": 2,
    "service.match": 3.1,
    "service.verify": 3.2,
    "service.decide": 3.3,
    "service.engine": 4,
    "service.record": 5,
    "service.replicas": 5,
    "service.outbound": 5,
    "service.bundles": 5,
    "service.confirm": 4.5,
    "service.lint": 5,
    "service.forked": 6,
    "service.penalise": 6,
    "service.live": 7,
    "service.notify": 7,
    "service.prove": 7.5,
    "service.draft": 7.6,
    "service.backtest": 7,
    "service.shared_backtest": 7.1,
    "service.workbench": 7.7,
    "service.exchanging": 7,
    "service.making": 7.75,
    "service.engines": 7.8,
    "service.watch": 7.85,
    "service.traffic": 7.4,
    "service.follow": 7.85,
    "service.pipeline": 8,
    "service.api": 9,
    "service.show": 9,
    "service.commands": 9.5,
    "service.cli": 10,
    "service.__main__": 11,
}
PURE = range(1, 5)
IMPURE = {"asyncio", "sqlalchemy", "fastapi", "starlette", "time", "httpx", "aiosqlite", "asyncpg"}
OWNERS = {
    "ahocorasick": "match/automaton.py",
    "jieba": "verify/words.py",
    "re2": "match/pattern.py",
    "opentelemetry": "api/trace.py",
    "redis": "replicas/redis.py",
    "zxingcpp": "normalise/picture.py",
}
LONGEST = 300
COPIED = {"service.clients.shenyan_client": 470}
"""What others copy as one file may be longer."""


def name_of(path: Path) -> str:
    parts = ("service", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}
MODULES = {name_of(path): path for path in TREES}
PACKAGES = {name for name, path in MODULES.items() if path.name == "__init__.py"}


def imports(tree: ast.AST) -> list[tuple[str, str, int]]:
    """(module, name imported from it or "", level) of every import, those inside functions included."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, "", 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module or "", alias.name, node.level) for alias in node.names]
    return found


def targets(tree: ast.AST) -> set[str]:
    """The modules of ours that are imported."""
    own = [(module, name) for module, name, _ in imports(tree) if module.partition(".")[0] == "service"]
    return {f"{module}.{name}" if f"{module}.{name}" in MODULES else module for module, name in own}


def place_of(module: str) -> str:
    """The row of FLOORS that `module` belongs to."""
    return next((place for place in FLOORS if f"{module}.".startswith(f"{place}.")), "")


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"service"}))
def test_imports_only_from_floors_below(module: str) -> None:
    place = place_of(module)
    assert place, f"{module} has no floor; give it one in FLOORS and in the architecture document"
    for target in targets(TREES[MODULES[module]]) - {"service"}:
        below = place_of(target)
        assert below == place or FLOORS[below] < FLOORS[place], f"{module} imports {target}, which is not below it"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: targets(TREES[path]) - PACKAGES for module, path in MODULES.items()}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", TREES, ids=name_of)
def test_imports_by_absolute_path_to_the_owning_module(path: Path) -> None:
    for module, name, level in imports(TREES[path]):
        assert level == 0, f"relative import of {module or name}"
        if module in PACKAGES and name:
            owned = f"{module}.{name}" in MODULES or (module, name) == ("service", "__version__")
            assert owned, f"{name} is imported from the package {module}, not from the module that owns it"


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_package_files_hold_only_a_docstring(package: str) -> None:
    docstring, *rest = TREES[MODULES[package]].body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(docstring.value, ast.Constant)
    assert isinstance(docstring.value.value, str)
    names = [ast.unparse(node.targets[0]) for node in rest if isinstance(node, ast.Assign)]
    assert len(names) == len(rest)
    assert names == (["__version__"] if package == "service" else [])


@pytest.mark.parametrize("module", [name for name in sorted(MODULES) if int(FLOORS.get(place_of(name), 0)) in PURE])
def test_floors_one_to_four_are_pure(module: str) -> None:
    tree = TREES[MODULES[module]]
    roots = {name.partition(".")[0] for name, _, _ in imports(tree)}
    assert not roots & IMPURE
    attributes = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    readings = {"os.environ", "os.getenv", "datetime.now", "datetime.utcnow", "date.today"}
    assert not attributes & readings
    names = {name for _, name, _ in imports(tree)}
    assert not names & {"environ", "getenv"}


@pytest.mark.parametrize(("library", "owner"), OWNERS.items())
def test_one_file_knows_the_library(library: str, owner: str) -> None:
    users = [
        path for path, tree in TREES.items() if library in {name.partition(".")[0] for name, _, _ in imports(tree)}
    ]
    assert [path.relative_to(ROOT).as_posix() for path in users] == [owner]


def test_no_file_is_too_long_to_read() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in TREES}
    assert {name: length for name, length in lengths.items() if length > COPIED.get(name, LONGEST)} == {}
