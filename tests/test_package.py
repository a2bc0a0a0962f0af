"""What the package promises as a whole: its names, its imports, its documentation, its paths."""

import doctest
import importlib
import importlib.resources
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpydoc.validate
import pytest

import sknorm
from sknorm._backends import dispatch

ROOT = Path(__file__).parents[1]
# Builds of the kernels for another processor must not be imported here, nor what setuptools reads.
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(sknorm.__path__, "sknorm.")
    if "__" not in name and "s_v" not in name and not name.endswith(".build")
]
DOCUMENTED = [name for name in sknorm.__all__ if not name.startswith("__")]
# What scikit-learn 1.7 to 1.9 needs itself.
NEEDED_BY_SKLEARN = {"joblib", "narwhals", "threadpoolctl"}
KERNELS = r"sknorm\._backends\.kernels\._(values|indices)\w*"
NOT_NEEDED = [
    *("pandas", "polars", "matplotlib", "torch", "dask", "onnx", "Cython", "pytest"),
    *("datasketches", "duckdb", "skrub"),
]

# Summaries, parameters in the order and with the names of the signature, returns, sections.
DOCSTRING_CHECKS = {
    *("GL01", "GL02", "GL03", "GL05", "GL06", "GL07", "GL08", "GL09", "GL10"),
    *("SS01", "SS02", "SS03", "SS04", "SS05", "SS06"),
    *("PR01", "PR02", "PR03", "PR04", "PR05", "PR06", "PR07", "PR08", "PR10"),
    *("RT01", "RT03", "RT04", "RT05", "YD01", "SA02", "SA03", "SA04"),
}
ALSO_OF_CLASSES = {"EX01", "SA01"}


def run_python(code, tmp_path, **env):
    """Run code in an interpreter of its own, away from the checkout."""
    settings = {name: value for name, value in os.environ.items() if "SKNORM" not in name}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**settings, "PYTHONIOENCODING": "utf-8", **env},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def block(names):
    """Return code that makes importing modules whose names match a pattern an ImportError."""
    return f"""
import re, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if re.fullmatch({names!r}, name):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
"""


# Names -------------------------------------------------------------------------------------------


def test_public_names_are_all():
    public = {
        name
        for name in dir(sknorm)
        if not name.startswith("_") and not isinstance(getattr(sknorm, name), ModuleType)
    }
    assert public == set(DOCUMENTED)
    assert list(sknorm.__all__) == sorted(sknorm.__all__)


def test_api_page_has_the_public_names():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\.\. auto(?:class|function):: sknorm\.(\w+)$", page, re.MULTILINE)
    assert sorted(documented) == sorted(DOCUMENTED)


def test_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sknorm.__version__ == project["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{sknorm.__version__}]" in changelog
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {sknorm.__version__}\n" in citation


# Imports -----------------------------------------------------------------------------------------


def test_import_loads_only_the_hard_dependencies(tmp_path):
    # scikit-learn loads pandas and rich, where they are, by itself: it goes first.
    code = """
import contextlib, sys, sklearn
with contextlib.suppress(ImportError):
    import sklearn.callback
before = set(sys.modules)
from sknorm import *
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""
    result = run_python(code, tmp_path)
    assert not result.returncode, result.stderr
    allowed = {"sknorm", "sklearn", "numpy", "scipy"} | NEEDED_BY_SKLEARN
    # Loaded by compiled modules of SciPy and scikit-learn, under names of no package.
    private = re.compile(r"_\w+|cython_runtime")
    loaded = set(result.stdout.split()) - set(sys.stdlib_module_names) - allowed
    # multiprocessing's name for the main module.
    loaded -= {"__mp_main__"}
    assert [name for name in loaded if not private.fullmatch(name)] == []


def test_import_alone_loads_next_to_nothing(tmp_path):
    code = """
import sys, sklearn.preprocessing
before = set(sys.modules)
import sknorm
print(*sorted(set(sys.modules) - before))
assert "BatchStatScaler" in dir(sknorm)
sknorm.BatchStatScaler, sknorm.compare.compare_normalizers
try:
    sknorm.BatchScaler
except AttributeError as error:
    assert "'BatchScaler'" in str(error)
"""
    result = run_python(code, tmp_path)
    assert not result.returncode, result.stderr
    assert result.stdout.split() == ["sknorm"]


def test_import_and_fit_work_without_the_optional_packages(tmp_path):
    code = (
        block("|".join(NOT_NEEDED)) + "import sknorm; sknorm.BatchStatScaler().fit([[1.0], [2.0]])"
    )
    result = run_python(code, tmp_path)
    assert not result.returncode, result.stderr


# The two paths -----------------------------------------------------------------------------------


def test_missing_kernels_are_an_error_where_required(tmp_path):
    code = block(KERNELS) + "import sknorm"
    result = run_python(code, tmp_path, SKNORM_REQUIRE_KERNELS="1")
    assert result.returncode
    assert "ImportError" in result.stderr or "ModuleNotFoundError" in result.stderr
    assert "_values" in result.stderr


@pytest.mark.parametrize("setting", ["0", ""])
def test_without_kernels_the_reference_serves(setting, tmp_path):
    code = block(KERNELS) + (
        "import sknorm; sknorm.show_versions()\n"
        "print(sknorm.BatchStatScaler().fit_transform([[1.0], [3.0]]).tolist())"
    )
    result = run_python(code, tmp_path, SKNORM_REQUIRE_KERNELS=setting)
    assert not result.returncode, result.stderr
    assert re.search("^kernels +not built", result.stdout, re.MULTILINE)
    assert "[[-1.0], [1.0]]" in result.stdout


@pytest.mark.parametrize(
    ("setting", "state"),
    [
        ("0", r"compiled(?!.*turned off).*"),
        ("1", "compiled, .*turned off by SKNORM_FORCE_REFERENCE"),
    ],
)
def test_show_versions_prints_the_path_in_use(setting, state, tmp_path):
    code = "import sknorm; sknorm.show_versions()"
    result = run_python(code, tmp_path, SKNORM_FORCE_REFERENCE=setting)
    assert not result.returncode, result.stderr
    for name in ("sknorm", "scikit-learn", "numpy", "scipy", "python"):
        assert re.search(rf"^{name} +\d", result.stdout, re.MULTILINE)
    last = result.stdout.splitlines()[-1]
    if dispatch.HAS_KERNELS:
        assert re.fullmatch(rf"kernels +{state}", last)
    else:
        assert re.match("kernels +not built", last)


# Documentation -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sknorm", *MODULES])
def test_doctests(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    assert not doctest.testmod(module).failed


def public_methods():
    """Yield the dotted name of each public method that is sknorm's own."""
    for name in DOCUMENTED:
        value = getattr(sknorm, name)
        if inspect.isclass(value):
            for method, function in inspect.getmembers(value, inspect.isroutine):
                if not method.startswith("_") and function.__module__.startswith("sknorm"):
                    yield f"{name}.{method}"


@pytest.mark.parametrize("name", [*DOCUMENTED, *public_methods()])
def test_docstring(name):
    checks = DOCSTRING_CHECKS | (set() if "." in name else ALSO_OF_CLASSES)
    if not inspect.isclass(getattr(sknorm, name.partition(".")[0])):
        checks -= ALSO_OF_CLASSES
    errors = numpydoc.validate.validate(f"sknorm.{name}")["errors"]
    assert [error for error in errors if error[0] in checks] == []


def test_types_are_shipped():
    assert (importlib.resources.files("sknorm") / "py.typed").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "py.typed" in project["tool"]["setuptools"]["package-data"]["sknorm"]
