"""What fits are scored by: whether it fits the target, and what guessing gets."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.utils.metaestimators import available_if

from sknorm._compare.names import class_name

# From this share of the rows on, always guessing the largest class gets a high accuracy.
LARGE_CLASS = 0.75
# Scores that look at one class of two.
OF_ONE_CLASS = {
    "f1": "f1_score",
    "precision": "precision_score",
    "recall": "recall_score",
    "jaccard": "jaccard_score",
    "average_precision": "average_precision_score",
}
MAX_LISTED = 6


@dataclass(frozen=True)
class Scoring:
    """Scorers by the name of the score, of which the first decides; and why, if it was chosen."""

    scorers: dict[str, Any]
    why: str = ""

    @property
    def name(self) -> str:
        """Return the name of the score that decides."""
        return next(iter(self.scorers))

    @property
    def scorer(self) -> Any:
        """Return the scorer that decides."""
        return self.scorers[self.name]

    def __call__(self, estimator: Any, X: Any, y: Any, **weights: Any) -> dict[str, float]:
        """Return all scores of a fitted estimator."""
        return {
            name: float(scorer(estimator, X, y, **weights)) for name, scorer in self.scorers.items()
        }


def make_scoring(estimator: Any, scoring: Any, y: Any, pos_label: Any) -> Scoring:
    """Return what to score by, if it fits the target."""
    if isinstance(scoring, (list, tuple)):
        if not scoring:
            raise ValueError("scoring is empty: name at least one score, or leave it out.")
        made = [_make_one(estimator, one, y, pos_label) for one in scoring]
        names = [one.name for one in made]
        if len(set(names)) < len(names):
            raise ValueError(f"scoring has a score more than once: {', '.join(names)}.")
        return Scoring({one.name: one.scorer for one in made})
    return _make_one(estimator, scoring, y, pos_label)


def _make_one(estimator: Any, scoring: Any, y: Any, pos_label: Any) -> Scoring:
    from sklearn.metrics import check_scoring

    why = ""
    if scoring is None:
        scoring, why = _default(estimator, y)
    if scoring is None:
        name = "accuracy" if is_classifier(estimator) else "R2"
        return Scoring({name: check_scoring(estimator, None)})
    if isinstance(scoring, str):
        return Scoring({scoring: _by_name(estimator, scoring, y, pos_label)}, why)
    if not callable(scoring):
        raise TypeError(
            "scoring must be one metric or a list of them, each as a name or a function of "
            f"(estimator, X, y); got {scoring!r}."
        )
    name = getattr(scoring, "__name__", None) or type(scoring).__name__
    return Scoring({name: check_scoring(estimator, scoring)})


def _default(estimator: Any, y: Any) -> tuple[str | None, str]:
    """Return the name of a score that notices rare classes, where one class is most of the rows."""
    values = np.asarray(y)
    if not is_classifier(estimator) or values.ndim != 1:
        return None, ""
    classes, counts = np.unique(values, return_counts=True)
    share = counts.max() / counts.sum()
    if share < LARGE_CLASS or counts.min() < 2:
        return None, ""
    return "balanced_accuracy", (
        "Scored by balanced accuracy, the mean share of each class that is found: "
        f"{100 * share:.0f}% "
        f"of the rows are of the class {classes.tolist()[counts.argmax()]!r}, so that plain "
        "accuracy "
        "would hardly notice the others."
    )


def _by_name(estimator: Any, name: str, y: Any, pos_label: Any) -> Any:
    from sklearn.metrics import get_scorer, get_scorer_names

    if name not in get_scorer_names():
        close = difflib.get_close_matches(name.lower(), get_scorer_names(), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        usable = ", ".join(_usable(estimator, y))
        raise ValueError(
            f"There is no score called {name!r}.{hint} Those that fit this target: {usable}."
        )
    if name in OF_ONE_CLASS and pos_label is not None and is_classifier(estimator):
        return _of_one_class(name, y, pos_label)
    scorer = get_scorer(name)
    error = _why_unfit(scorer, estimator, y)
    if error is None:
        return scorer
    fitting = _usable(estimator, y)
    kin = [one for one in fitting if one.startswith(name)] or fitting
    classes = np.unique(np.asarray(y)).tolist() if np.asarray(y).ndim == 1 else []
    by_label = ""
    if name in OF_ONE_CLASS and len(classes) == 2:
        by_label = (
            f" Say which class is the positive one, pos_label={classes[1]!r} (--positive "
            f"{classes[1]} on the command line), or"
        )
    raise ValueError(
        f"scoring={name!r} does not fit this target or model ({error})."
        f"{by_label or ' Scores that do:'}"
        f"{' use' if by_label else ''} {', '.join(kin[:MAX_LISTED])}."
    )


def _of_one_class(name: str, y: Any, pos_label: Any) -> Any:
    from sklearn import metrics

    classes = np.unique(np.asarray(y)).tolist()
    if pos_label not in classes or len(classes) != 2:
        raise ValueError(
            f"pos_label={pos_label!r} must be one of two classes of y; the classes are "
            f"{', '.join(map(repr, classes[:10]))}."
        )
    by_rank = name == "average_precision"
    return metrics.make_scorer(
        getattr(metrics, OF_ONE_CLASS[name]),
        pos_label=pos_label,
        response_method=("decision_function", "predict_proba") if by_rank else "predict",
    )


def _usable(estimator: Any, y: Any) -> list[str]:
    """Return the names of the scores that a guess at this target can be scored by."""
    from sklearn.metrics import get_scorer, get_scorer_names

    wanted = is_classifier(estimator)
    fitting = [n for n in get_scorer_names() if _why_unfit(get_scorer(n), estimator, y) is None]
    regression = ("r2", "neg_mean", "neg_median", "neg_max", "neg_root", "explained", "max_error")
    kept = [
        name
        for name in fitting
        if name.startswith((*regression, "d2_absolute", "d2_pinball", "d2_tweedie")) != wanted
    ]
    clustering = ("rand", "adjusted", "completeness", "fowlkes", "homogeneity", "mutual", "v_meas",
                  "normalized_mutual")  # fmt: skip
    return [name for name in kept if not name.startswith(clustering)]


def _guesser(estimator: Any, y: Any, strategy: str) -> Any:
    from sklearn.dummy import DummyRegressor

    if not is_classifier(estimator):
        return DummyRegressor(strategy="mean")
    methods = [name for name in ("predict_proba", "decision_function") if hasattr(estimator, name)]
    return Guess(strategy, tuple(methods))


class Guess(ClassifierMixin, BaseEstimator):
    """Guesses classes, with the methods that some model has."""

    def __init__(self, strategy: str, methods: tuple[str, ...]) -> None:
        self.strategy = strategy
        self.methods = methods

    def fit(self, X: Any, y: Any) -> Guess:
        """Learn how frequent the classes are."""
        from sklearn.dummy import DummyClassifier

        self.dummy_ = DummyClassifier(strategy=self.strategy, random_state=0).fit(X, y)
        self.classes_ = self.dummy_.classes_
        return self

    def predict(self, X: Any) -> Any:
        """Return guesses."""
        return self.dummy_.predict(X)

    @available_if(lambda self: "predict_proba" in self.methods)
    def predict_proba(self, X: Any) -> Any:
        """Return shares."""
        return self.dummy_.predict_proba(X)

    @available_if(lambda self: "decision_function" in self.methods)
    def decision_function(self, X: Any) -> Any:
        """Return shares, of two classes in one column, as models have it."""
        shares = self.dummy_.predict_proba(X)
        return shares[:, 1] if shares.shape[1] == 2 else shares


def _why_unfit(scorer: Any, estimator: Any, y: Any) -> str | None:
    """Return why a guess at the target cannot be scored, None if it can."""
    X = np.zeros((len(y), 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            guess = _guesser(estimator, y, "stratified").fit(X, y)
            scorer(guess, X, y)
        except Exception as error:
            text = next(iter(str(error.__cause__ or error).strip().splitlines()), "")
            missing = text.partition("Guess has none of the following attributes: ")[2]
            text = f"the model has no {missing}" if missing else text
            return text.rstrip(".") or type(error).__name__
    return None


def chance_level(scoring: Scoring, estimator: Any, y: Any, splits: Any) -> float:
    """Return what guessing the largest class or the mean gets on the test sets; NaN if unknown."""
    values = np.asarray(y)
    scores = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for train, test in splits:
            guess = _guesser(estimator, y, "prior").fit(np.zeros((len(train), 1)), values[train])
            try:
                score = float(scoring.scorer(guess, np.zeros((len(test), 1)), values[test]))
            except Exception:
                return np.nan
            scores.append(score)
    return float(np.mean(scores)) if scores else np.nan


def best_possible(scoring: Scoring) -> float | None:
    """Return the score of predictions without any error, None for functions of one's own."""
    from sklearn.metrics import get_scorer_names

    name = scoring.name
    if name in ("accuracy", "R2"):
        return 1.0
    if name not in get_scorer_names():
        return None
    if name.startswith(("neg_", "max_error")):
        return 0.0
    return None if name.startswith("positive_likelihood") else 1.0


def lowest_told(chance: float, best: float | None) -> float:
    """Return the score below which scores are not told apart.

    As far below chance as chance is below perfect: R2 of -1, or twice the squared error of the
    mean.
    """
    if best is None or not np.isfinite(chance):
        return -np.inf
    return chance - abs(best - chance)


def classes_of(estimator: Any, y: Any) -> tuple[tuple[str, int], ...]:
    """Return the classes with their rows, the largest first; none of anything but classes."""
    values = np.asarray(y)
    if not is_classifier(estimator) or values.ndim != 1:
        return ()
    classes, counts = np.unique(values, return_counts=True)
    pairs: Iterable[tuple[Any, int]] = zip(classes.tolist(), counts.tolist(), strict=True)
    named = [(class_name(c), n) for c, n in pairs]
    return tuple(sorted(named, key=lambda pair: -pair[1]))
