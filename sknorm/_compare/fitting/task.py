"""One fit of a comparison: what is measured of it, and how its failure is kept to itself."""

from __future__ import annotations

import functools
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

FITTED_ATTRIBUTES = ("loss_curve_", "loss_", "coefs_", "intercepts_", "coef_", "intercept_")
DIVERGENCE_ERRORS = (FloatingPointError, OverflowError, np.linalg.LinAlgError)
# What scikit-learn's solvers say in a ValueError when their weights overflow.
DIVERGENCE_WORDS = ("non-finite", "overflow", "did not converge", "ill-conditioned")
# Whatever a fit raises is its own failure; only Ctrl-C is meant for the whole comparison.
FAILURES = (Exception, SystemExit)
CHECKED_ROWS = 200
INTERRUPTED_WARNING = "Training interrupted by user"


@dataclass(frozen=True, slots=True)
class Task:
    """A fit to be made: a pipeline on one fold with one initialization."""

    normalizer: str
    pipeline: Any
    fold: int
    seed: int
    random_state: int
    train: NDArray[np.intp]
    test: NDArray[np.intp]


class Problem(NamedTuple):
    """What all fits share: the data, what scores them, and the weight of each row, if any."""

    X: Any
    y: Any
    scoring: Any
    weights: Any = None

    def rows(self, places: NDArray[np.intp]) -> tuple[Any, Any, Any]:
        """Return some of the rows: X, y and weights."""
        weights = None if self.weights is None else self.weights[places]
        return _safe_indexing(self.X, places), _safe_indexing(self.y, places), weights


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured in one fit.

    ``status`` is "ok", "diverged" (the solver's numbers overflowed, or a regressor is a thousand
    standard deviations off on its training rows) or "failed" (any other error); only runs that are
    "ok" have scores. ``ended_worker`` is True where its process died of it.
    """

    normalizer: str
    fold: int
    seed: int
    random_state: int
    status: str = "ok"
    test_score: float = np.nan
    train_score: float = np.nan
    other_scores: dict[str, float] = field(default_factory=dict)
    seconds: float = np.nan
    score_seconds: float = np.nan
    n_iter: int | None = None
    converged: bool = True
    loss_curve: tuple[float, ...] | None = None
    warnings: dict[str, int] = field(default_factory=dict)
    warning_texts: tuple[str, ...] = ()
    error: str | None = None
    n_train: int = 0
    n_test: int = 0
    ended_worker: bool = False


def run_fit(task: Task, problem: Problem) -> Run:
    """Fit, time and score one pipeline; any error of its own becomes part of the result."""
    with _threads().limit(limits=1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        measured = _measure(task, problem)
    texts = [str(entry.message) for entry in caught]
    if any(text.startswith(INTERRUPTED_WARNING) for text in texts):
        # MLPs end their training on Ctrl-C and go on; the comparison must stop.
        raise KeyboardInterrupt
    return Run(
        normalizer=task.normalizer,
        fold=task.fold,
        seed=task.seed,
        random_state=task.random_state,
        converged=not any(issubclass(entry.category, ConvergenceWarning) for entry in caught),
        warnings=dict(Counter(entry.category.__name__ for entry in caught)),
        warning_texts=tuple(dict.fromkeys(texts))[:3],
        n_train=len(task.train),
        n_test=len(task.test),
        **measured,
    )


@functools.lru_cache(maxsize=1)
def _threads() -> ThreadpoolController:
    """Return what limits BLAS to one thread: the fits are what runs in parallel.

    The order of BLAS's sums, and so the last bits of every weight, depend on its threads.
    """
    return ThreadpoolController()


def _measure(task: Task, problem: Problem) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        pipeline = set_seed(clone(task.pipeline), task.random_state)
        X, y, weights = problem.rows(task.train)
        start = time.perf_counter()
        pipeline.fit(X, y, **weights_of_steps(pipeline, weights))
    except FAILURES as error:
        return _lost(error, seconds=time.perf_counter() - start)
    seconds = time.perf_counter() - start
    fitted = _describe(final_model(pipeline)) | {"seconds": seconds}
    if fitted.pop("overflowed"):
        return fitted | {"status": "diverged", "error": "the loss or weights are not finite"}
    try:
        if is_regressor(pipeline) and _is_far_off(pipeline, X, y):
            return fitted | {"status": "diverged", "error": "predictions far outside the target"}
        scores = _scores(pipeline, problem, task, (X, y, weights))
    except FAILURES as error:
        return fitted | _lost(error, seconds=seconds)
    decisive = {name: scores[name] for name in ("train_score", "test_score")}
    if not np.isfinite(list(decisive.values())).all():
        return fitted | {"status": "failed", "error": f"the score is not finite: {decisive}"}
    return fitted | scores | {"score_seconds": time.perf_counter() - start - seconds}


def _scores(
    pipeline: Any, problem: Problem, task: Task, training: tuple[Any, Any, Any]
) -> dict[str, Any]:
    """Return the score that decides, on training and test rows, and the others on test rows."""

    def score(X: Any, y: Any, weights: Any) -> dict[str, float]:
        weighted = {} if weights is None else {"sample_weight": weights}
        found: dict[str, float] = problem.scoring(pipeline, X, y, **weighted)
        return found

    train, test = score(*training), score(*problem.rows(task.test))
    name = problem.scoring.name
    others = {other: value for other, value in test.items() if other != name}
    return {"train_score": train[name], "test_score": test[name], "other_scores": others}


def weights_of_steps(pipeline: Any, weights: Any) -> dict[str, Any]:
    """Return the weights as parameters of ``fit``, for each step that takes them."""
    if weights is None:
        return {}
    steps = getattr(pipeline, "steps", None)
    if steps is None:
        return {"sample_weight": weights}
    return {
        f"{name}__sample_weight": weights
        for name, step in steps
        if step not in (None, "passthrough") and has_fit_parameter(step, "sample_weight")
    }


def _is_far_off(pipeline: Any, X: Any, y: Any) -> bool:
    """Tell whether a regressor is a thousand standard deviations off on rows it was fitted to.

    SGD on data in large units can end with finite weights of 1e20 and no warning.
    """
    rows = np.arange(min(len(y), CHECKED_ROWS))
    errors = pipeline.predict(_safe_indexing(X, rows)) - np.asarray(_safe_indexing(y, rows))
    with np.errstate(over="ignore", invalid="ignore"):
        off = np.sqrt(np.mean(np.square(errors)))
    return not off <= 1000 * max(np.std(np.asarray(y)), np.finfo(float).tiny)


def _lost(error: BaseException, seconds: float) -> dict[str, Any]:
    """Return what is left of a fit that raised."""
    text = str(error).lower()
    diverged = isinstance(error, DIVERGENCE_ERRORS) or any(w in text for w in DIVERGENCE_WORDS)
    return {
        "status": "diverged" if diverged else "failed",
        "error": error_line(error),
        "seconds": seconds,
    }


def error_line(error: BaseException) -> str:
    """Return an error in one line: its kind and the first line of what it says."""
    first_line = next((line for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first_line.strip()}".rstrip(": ")


def _describe(model: Any) -> dict[str, Any]:
    """Return epochs and losses of a fitted model, as far as it has any."""
    curve = getattr(model, "loss_curve_", None)
    n_iter = getattr(model, "n_iter_", None)
    return {
        "loss_curve": None if curve is None else tuple(float(loss) for loss in curve),
        "n_iter": None if n_iter is None else int(np.max(n_iter)),
        "overflowed": not all(_is_finite(getattr(model, name, None)) for name in FITTED_ATTRIBUTES),
    }


def _is_finite(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_finite(part) for part in value)
    if hasattr(value, "toarray"):
        value = value.data
    array = np.asarray(value)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def final_model(estimator: Any) -> Any:
    """Return the fitted model at the heart of pipelines, searches and target transformers."""
    inner = estimator.steps[-1][1] if hasattr(estimator, "steps") else None
    for name in ("regressor_", "best_estimator_", "estimator_"):
        inner = getattr(estimator, name, None) if inner is None else inner
    return estimator if inner is None or inner is estimator else final_model(inner)


def seed_parameters(estimator: Any) -> list[str]:
    """Return the names of all ``random_state`` parameters, nested ones too."""
    return sorted(
        name
        for name in estimator.get_params(deep=True)
        if name == "random_state" or name.endswith("__random_state")
    )


def set_seed(estimator: Any, random_state: int) -> Any:
    """Give every nested ``random_state`` the same seed; return the estimator."""
    return estimator.set_params(**dict.fromkeys(seed_parameters(estimator), random_state))
