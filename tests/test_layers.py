"""Imports go one way: pages -> app -> engine, and inside the engine upwards only. Read from the syntax,
nothing is imported.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = {"errors", "settings", "registry", "extensions", "events", "device", "home"}
ABOVE = ("store", "running", "asking", "pool", "studies", "atlas")
"""On top of the methods, each seeing those before it; the command line sees everything."""
METHODS = {"models", "objectives", "attacks", "metrics"}
SHARED = {"engine.attacks.budget", "engine.models.outputs"} | {
    f"engine.{folder}.protocols" for folder in METHODS
}
SEEN_BY = {  # what each part of the engine may import beside itself and the core
    "data": set(),
    "nets": {"data"},
    **{folder: {"data", "nets"} for folder in METHODS},
    "defences": {"data", "nets"} | METHODS,
    **{folder: {"data", "nets", "defences", *ABOVE[:place]} | METHODS for place, folder in enumerate(ABOVE)},
}
SET_UP = ("app.__init__", "app.__main__", "app.setup", "tests.__init__", "tests.__main__", "tests.chromium")


def modules(root: Path) -> dict[str, ast.Module]:
    """Dotted name -> syntax of each Python file of the project; a package's own file is called
    `package.__init__`.
    """
    files = [
        file
        for folder in ("engine", "app", "pages", "tests")
        for file in sorted((root / folder).rglob("*.py"))
    ]
    return {
        ".".join(file.relative_to(root).with_suffix("").parts): ast.parse(file.read_text(encoding="utf-8"))
        for file in files
    }


def imported(name: str, tree: ast.AST, deferred: bool = True) -> set[str]:
    """What a module imports, as dotted names; without `deferred` only what runs when the module itself is
    imported.
    """
    found: set[str] = set()
    for node in statements(tree, deferred):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(
                [
                    *(name.split(".")[: -node.level] if node.level else []),
                    *([node.module] if node.module else []),
                ]
            )
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def statements(tree: ast.AST, deferred: bool) -> Iterator[ast.AST]:
    """Every node; without `deferred`, none inside a function or under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if not deferred and (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_type_checking(node)
        ):
            continue
        yield node
        yield from statements(node, deferred)


def is_type_checking(node: ast.AST) -> bool:
    """Whether a node is `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def complaint(importer: str, target: str) -> str | None:
    """Why `importer` may not import `target` (both dotted), or None if it may."""
    layer, to = importer.split(".")[0], target.split(".")[0]
    if layer == "tests":
        return None
    if to == "tests":
        return "nothing imports the tests"
    if layer == "pages" and to in ("engine", "pages", "torch"):
        return "pages import only app"
    if layer == "app" and to in ("pages", "torch"):
        return "app imports the engine, never pages or torch"
    if layer == "engine":
        return inside_engine(importer, target)
    return None


def inside_engine(importer: str, target: str) -> str | None:
    """The engine's own arrows."""
    if target.split(".")[0] in ("streamlit", "app", "pages"):
        return "the engine knows nothing of the page"
    if target.split(".")[0] in ("distributed", "dask") and not importer.startswith("engine.pool."):
        return "only the pool imports distributed"
    if target.split(".")[0] != "engine":
        return None
    part, to = importer.split(".")[1], (target.split(".") + [""])[1]
    if (
        part in ("__main__", "cli")
        or to in CORE
        or to == part
        or any(target == name or target.startswith(name + ".") for name in SHARED)
    ):
        return None
    allowed = SEEN_BY.get(part, set())
    return (
        None
        if to in allowed
        else (
            f"engine.{part} may import the core{', ' + ', '.join(sorted(allowed)) if allowed else ''} and"
            " itself"
        )
    )


def complaints(trees: dict[str, ast.Module]) -> list[str]:
    """Every wrong arrow, as `importer -> target: why`."""
    found = []
    for importer, tree in trees.items():
        for target in sorted(imported(importer, tree)):
            why = complaint(importer, target)
            if why:
                found.append(f"{importer} -> {target}: {why}")
    return found


def path_to_torch(start: str, trees: dict[str, ast.Module]) -> list[str]:
    """The chain of imports by which importing `start` imports torch, or an empty list."""

    @cache
    def targets(name: str) -> frozenset[str]:
        return frozenset(
            file for target in imported(name, trees[name], deferred=False) for file in files_of(target, trees)
        )

    chains, seen = [[start]], {start}
    while chains:
        chain = chains.pop()
        if "torch" in {
            target.split(".")[0] for target in imported(chain[-1], trees[chain[-1]], deferred=False)
        }:
            return [*chain, "torch"]
        new = targets(chain[-1]) - seen
        seen |= new
        chains += [[*chain, name] for name in sorted(new)]
    return []


def files_of(target: str, trees: dict[str, ast.Module]) -> set[str]:
    """The project's files that importing `target` runs: the module, and the packages above it."""
    parts = target.split(".")
    heads = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return {file for head in heads for file in (head, head + ".__init__") if file in trees}


def files_named(name: str, trees: dict[str, ast.Module]) -> set[str]:
    """The project's files that a module names in its imports, deferred ones and those for types alone too;
    not the packages above them.
    """
    found = set()
    for target in imported(name, trees[name]):
        parts = target.split(".")
        heads = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        files = (file for head in heads for file in (head, f"{head}.__init__") if file in trees)
        found.add(next(files, name))
    return found - {name}


def circles(trees: dict[str, ast.Module]) -> list[set[str]]:
    """The sets of files that import one another, directly or over others."""
    names = {name: files_named(name, trees) for name in trees}
    reach = {name: set(targets) for name, targets in names.items()}
    grown = True
    while grown:
        grown = False
        for far in reach.values():
            more = {farther for target in far for farther in reach[target]} - far
            far |= more
            grown = grown or bool(more)
    found = {frozenset(other for other in far if name in reach[other]) for name, far in reach.items()}
    return [set(files) for files in found if files]


TREES = modules(ROOT)


def test_no_files_import_one_another() -> None:
    own = {name: tree for name, tree in TREES.items() if name.split(".")[0] != "tests"}
    assert circles(own) == []


def test_imports_go_one_way() -> None:
    assert complaints(TREES) == []


@pytest.mark.parametrize("start", [name for name in TREES if name.split(".")[0] in ("app", "pages")])
def test_the_page_server_never_imports_torch(start: str) -> None:
    assert path_to_torch(start, TREES) == []


@pytest.mark.parametrize("name", SET_UP)
def test_set_up_needs_the_standard_library_alone(name: str) -> None:
    known = set(sys.stdlib_module_names) | {"app", "tests"}
    assert {target.split(".")[0] for target in imported(name, TREES[name])} <= known
    own = {target for target in imported(name, TREES[name]) if target.split(".")[0] in ("app", "tests")}
    assert {file for target in own for file in files_of(target, TREES)} <= set(SET_UP)


def test_app_imported_for_real_brings_no_torch() -> None:
    names = [
        name
        for name in TREES
        if name.startswith("app.") and name.rsplit(".", 1)[1] not in ("__init__", "__main__", "main")
    ]
    code = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nsys.exit('torch' in"
        " sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr or "torch was imported"


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("pages.attack", "from engine.store import store"),
        ("pages.attack", "import torch"),
        ("pages.attack", "from pages.home import x"),
        ("app.charts.plot", "import torch.nn"),
        ("app.charts.plot", "from pages import home"),
        ("engine.errors", "from engine.data.views import Views"),
        ("engine.data.sources", "import engine.models.adec"),
        ("engine.models.adec", "from engine.attacks.pgd import PGD"),
        ("engine.models.adec", "from engine import store"),
        ("engine.attacks.pgd", "from ..models.adec import ADEC"),
        ("engine.metrics.clustering", "def f():\n  import streamlit"),
        ("engine.defences.ar_dmvc", "from engine.store.store import Store"),
        ("engine.store.store", "from app.address import links"),
        ("engine.store.store", "import distributed"),
        ("engine.nets.heads", "from tests import conftest"),
    ],
)
def test_a_wrong_arrow_is_found(importer: str, line: str) -> None:
    assert complaints({importer: ast.parse(line)})


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("pages.attack", "from app.address import links"),
        ("app.address.state", "from engine.store.store import Store"),
        ("engine.models.adec", "from engine.models.acai import ACAI"),
        ("engine.metrics.flips", "from engine.attacks.budget import Budget"),
        ("engine.attacks.pgd", "from engine.objectives.protocols import Objective"),
        ("engine.pool.client", "import distributed"),
        ("engine.defences.ar_dmvc", "from engine.attacks.pgd import PGD"),
        ("engine.running.runner", "from engine import registry"),
        ("engine.__main__", "from engine.store import store"),
    ],
)
def test_a_right_arrow_is_not(importer: str, line: str) -> None:
    assert complaints({importer: ast.parse(line)}) == []


def test_a_chain_to_torch_is_found_through_a_package() -> None:
    sources = {
        "app.a": "from engine.data.cards import cards",
        "engine.data.__init__": "from engine.data.views import Views",
        "engine.data.cards": "",
        "engine.data.views": "import torch",
        "engine.__init__": "",
    }
    trees = {name: ast.parse(source) for name, source in sources.items()}
    assert path_to_torch("app.a", trees) == ["app.a", "engine.data.__init__", "engine.data.views", "torch"]
    trees["engine.data.__init__"] = ast.parse("def load():\n  from engine.data.views import Views")
    assert path_to_torch("app.a", trees) == []


def test_a_circle_is_found_over_others_and_inside_functions() -> None:
    sources = {
        "app.a": "from app.b import x",
        "app.b": "def f():\n  from app import c",
        "app.c": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  import app.a",
        "app.d": "from app import a",
        "app.__init__": "",
    }
    trees = {name: ast.parse(source) for name, source in sources.items()}
    assert circles(trees) == [{"app.a", "app.b", "app.c"}]
    trees["app.c"] = ast.parse("import json")
    assert circles(trees) == []
