"""Imports go down only: from the command over the comparison and the estimators to the numbers."""

import ast
import importlib.util
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sknorm"
# Each may import from itself and from those after it.
FOLDERS = [
    "__main__",
    "_cli",
    "__init__",
    "compare",
    "tables",
    "_compare",
    "_versions",
    "_tables",
    "_scalers",
    "_sources",
    "_exports",
    "_drift",
    "_backends",
    "_statistics",
    "_compat",
]
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def imports_of(path):
    """Return the modules of the package that one imports, at the top or in functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            base = node.module
            for alias in node.names:
                inner = f"{base}.{alias.name}".removeprefix("sknorm.")
                found.add(f"sknorm.{inner}" if inner in MODULES else base)
    inner = {name.removeprefix("sknorm.") for name in found if name.startswith("sknorm.")}
    return {name for name in inner if name in MODULES} | (
        {"__init__"} & {n for n in found if n == "sknorm"}
    )


GRAPH = {name: imports_of(path) for name, path in MODULES.items()}


def test_there_is_no_circle():
    TopologicalSorter({name: needs - {name} for name, needs in GRAPH.items()}).prepare()


@pytest.mark.parametrize("name", sorted(GRAPH))
def test_imports_go_down(name):
    level = FOLDERS.index(name.split(".")[0])
    for needed in GRAPH[name]:
        assert FOLDERS.index(needed.split(".")[0]) >= level, needed


def test_every_mutation_finds_its_text():
    """Else it would say nothing: ``tests/mutations/run.py`` takes too long to run each time."""
    path = PACKAGE.parent / "tests" / "mutations" / "run.py"
    spec = importlib.util.spec_from_file_location("mutations_run", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    for mutation in module.MUTATIONS:
        text = (PACKAGE / mutation.file).read_text(encoding="utf-8")
        assert text.count(mutation.old) == 1, mutation.name
