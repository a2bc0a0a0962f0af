"""Code to paste, that builds what a comparison recommends."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline


def snippet(pipeline: Any, *, data: str = "") -> str:
    """Return the code of a pipeline, with its imports; ``data`` is code that makes X and y.

    Estimators that no public module holds, and functions, have no code: they are named as what is
    to
    be filled in.
    """
    parts = [pipeline, *_parts(pipeline)]
    if _is_table_pipeline(pipeline):
        table = pipeline.named_steps["quantities"].get_params()["norm"]
        model = pipeline.steps[-1][1]
        parts = [part for one in (table, model) for part in (one, *_parts(one))]
        code = f"make_table_pipeline(\n    {_code(table)},\n    {_code(model)},\n)"
        imports = {"from sknorm.tables import make_table_pipeline"}
    else:
        code, imports = _code(pipeline), set()
    for part in parts:
        if isinstance(part, BaseEstimator):
            cls = type(part)
            imports.add(f"from {_public_module(cls)} import {cls.__name__}")
    given = data.splitlines()
    imports |= {line for line in given if line.startswith("from ")}
    made = [line for line in given if not line.startswith("from ")]
    return "\n".join([*_merged(imports), "", *made, f"pipeline = {code}", "pipeline.fit(X, y)"])


def _is_table_pipeline(pipeline: Any) -> bool:
    steps = getattr(pipeline, "steps", [("", None)])
    # By name: importing the tables takes time, and most pipelines have none.
    return type(steps[0][1]).__name__ == "TableEncoder" and len(steps) == 3


def _parts(estimator: Any) -> Iterator[Any]:
    if not hasattr(estimator, "get_params"):
        return
    yield from (part for part in estimator.get_params(deep=True).values() if part is not estimator)


def _code(estimator: Any) -> str:
    """Return an estimator as code; scikit-learn's own text is code, if it is not cut short."""
    if isinstance(estimator, Pipeline):
        steps = "".join(f'    ("{name}", {_code(step)}),\n' for name, step in estimator.steps)
        return f"Pipeline([\n{steps}])"
    if hasattr(estimator, "get_params"):
        return " ".join(str(estimator.__repr__(N_CHAR_MAX=10**7)).split())
    return repr(estimator)


def _public_module(cls: type) -> str:
    """Return the shortest public module that holds a class."""
    parts = cls.__module__.split(".")
    for depth in range(1, len(parts) + 1):
        if parts[depth - 1].startswith("_"):
            break
        name = ".".join(parts[:depth])
        if getattr(importlib.import_module(name), cls.__name__, None) is cls:
            return name
    return cls.__module__


def _merged(imports: set[str]) -> list[str]:
    """Return imports with the names of one module in one line."""
    by_module: dict[str, list[str]] = {}
    for line in sorted(imports):
        module, _, name = line.removeprefix("from ").partition(" import ")
        by_module.setdefault(module, []).append(name)
    return [f"from {module} import {', '.join(names)}" for module, names in by_module.items()]
