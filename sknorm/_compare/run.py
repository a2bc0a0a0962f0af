"""The run of a comparison: every normalizer in every fold, from every initialization."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sknorm._compare.analysis.measured import Measured
from sknorm._compare.analysis.metrics import Design
from sknorm._compare.candidates import pipeline_maker, resolve_normalizers
from sknorm._compare.fitting.progress import run_tasks
from sknorm._compare.fitting.task import Task, seed_parameters
from sknorm._compare.inputs import (
    check_data,
    check_estimator,
    check_number,
    check_scorer,
    check_target_loss,
    draw_seed,
    make_splits,
)
from sknorm._compare.names import N_FOLDS, N_SEEDS, NONE
from sknorm._compare.result import NormalizerComparison


def compare_normalizers(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    normalizers: Any = None,
    baseline: str | None = None,
    step: str | None = None,
    cv: Any = N_FOLDS,
    scoring: Any = None,
    n_seeds: int = N_SEEDS,
    target_loss: float | None = None,
    confidence: float = 0.95,
    n_jobs: int | None = None,
    random_state: Any = None,
    progress: Any = False,
) -> NormalizerComparison:
    """Measure what each normalizer does for a model on the data at hand.

    Normalizing features is said to make training faster and numerically stabler, predictions
    better, and results less dependent on how weights are initialized. This measures all four,
    over folds and initializations that are the same for all normalizers, so that differences are
    paired.

    Parameters
    ----------
    estimator : classifier or regressor
        The model, or a Pipeline that ends in it. In a pipeline, the normalizer takes the place of
        the step that is "passthrough", is called "norm" or "scaler", or is a scaler; without one,
        it comes just before the model.
    X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
            (n_samples, n_channels, *positions)
        The data, in raw units. For data with positions, the estimator must be a pipeline that
        flattens them for the model.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The target.
    normalizers : list of (str, transformer or (str, transformer)) or dict, default=None
        Names, transformers, or transformers by name; "none" is going without. None means going
        without, all of sknorm's in their default settings, and scikit-learn's StandardScaler and
        RobustScaler as reference scalers.
    baseline : str, default=None
        The name of what the others are compared with. None means "none" if it is among the
        normalizers, else the first of them.
    step : str, default=None
        The step to put the normalizers in, where that is ambiguous; ``"outer__inner"`` for nested
        ones, such as ``"regressor__scale"`` for a pipeline in a TransformedTargetRegressor.
    cv : int, cross-validation splitter or iterable of splits, default=10
        How to split. A number is that many shuffled folds, stratified for classifiers.
    scoring : str or callable, default=None
        What to score by, as in :func:`sklearn.model_selection.cross_val_score`. None means the
        estimator's own ``score``.
    n_seeds : int, default=2
        Initializations per fold: values of every ``random_state`` in the pipeline. A model
        without any is fitted once per fold. One whose ``random_state`` changes nothing, such as
        ``SVC()``, is fitted as often as any other, and its scores are said not to vary; 1 saves
        the time.
    target_loss : float, default=None
        The training loss that fits should reach. None means the loss that the baseline ends with,
        in the same fold and with the same seed.
    confidence : float in (0, 1), default=0.95
        Of the intervals.
    n_jobs : int, default=None
        Fits to run at a time, as joblib counts them. Each uses one thread, so that the results do
        not depend on it. A process makes one fit at a time, also where joblib is set to use
        threads: they would count each other's warnings.
    random_state : int, RandomState instance or None, default=None
        Draws the folds and the seeds. The same int gives the same table, except for seconds.
    progress : bool, callback or callable, default=False
        True shows scikit-learn's ``ProgressBar`` where there is one (scikit-learn 1.9 with rich,
        on a terminal), else a line of text, on the standard error. Or a callback of
        ``sklearn.callback``, or a function that is called with the number of fits done, their
        total and the latest run.

    Returns
    -------
    comparison : NormalizerComparison
        The measurements, a table, a summary in words, pictures, and the best pipeline. After
        Ctrl-C it holds what was measured so far, and ``partial_`` is True.

    Raises
    ------
    TypeError
        If the estimator is no classifier or regressor, or a normalizer no transformer.
    ValueError
        If y has missing values or only one value, if there are fewer samples than folds, if a
        name is unknown, or if every fit failed. A normalizer that fails, or ends its worker
        process, does not disturb the others: its error is in the table.

    Warns
    -----
    UserWarning
        If the estimator has another scaler inside, in a nested pipeline or column transformer,
        which would stay with every normalizer, and with none.

    See Also
    --------
    NormalizerComparisonDisplay : Draws the comparison.

    Notes
    -----
    Intervals are those of the corrected resampled t-test [1]_ over the folds, each represented by
    the mean over its seeds: seeds in a fold share their rows, so they are no independent evidence
    on the data. Each fold draws seeds of its own, so that the intervals allow for their luck too.

    A normalizer is called better only if the interval of its difference to the baseline lies above
    0 and it lost no more fits than the baseline, of those that both made. Scores without a lower
    bound, such as R2, can make that interval useless where a few fits are far off; "mostly better"
    is said where the interval of the share of paired fits that score higher lies above one half.

    Runs that never reach the target are not left out of the medians of epochs and seconds to
    reach it, but counted as infinite. Epochs are those of ``loss_curve_``; where the model has
    none, ``n_iter_`` is what is compared, as iterations, and fits that stop at the limit count as
    not having reached it. Seconds to the target take all epochs of a fit as equally long.

    References
    ----------
    .. [1] C. Nadeau and Y. Bengio, "Inference for the Generalization Error", Machine Learning 52,
       2003.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sknorm import compare_normalizers
    >>> X, y = load_wine(return_X_y=True)
    >>> comparison = compare_normalizers(
    ...     SGDClassifier(), X, y, normalizers=["none", "BatchStatScaler", "L2Normalizer"],
    ...     n_seeds=2, random_state=0,
    ... )
    >>> comparison.best_name_
    'BatchStatScaler'
    >>> comparison.measures_["BatchStatScaler"].verdict
    'better'
    """
    check_estimator(estimator)
    X, y = check_data(estimator, X, y)
    candidates = resolve_normalizers(normalizers, X)
    baseline = _check_baseline(baseline, candidates)
    n_seeds = check_number("n_seeds", n_seeds, minimum=1)
    _check_confidence(confidence)
    target_loss = check_target_loss(target_loss)
    make, step = pipeline_maker(estimator, step)
    pipelines = {name: make(candidate) for name, candidate in candidates.items()}
    if not seed_parameters(estimator):
        n_seeds = 1
    rng = check_random_state(random_state)
    splits = make_splits(estimator, X, y, cv, draw_seed(rng))
    scorer = check_scorer(estimator, scoring)
    tasks = [
        Task(name, pipeline, fold, seed, drawn, train, test)
        for fold, (train, test) in enumerate(splits)
        for seed, drawn in enumerate(draw_seed(rng) for _ in range(n_seeds))
        for name, pipeline in pipelines.items()
    ]
    runs, stopped = run_tasks(tasks, X, y, scorer, n_jobs, progress)
    if runs and stopped is None and all(run.status != "ok" for run in runs):
        raise ValueError(f"Every fit failed, the first with {runs[0].error}")
    design = Design(
        names=tuple(candidates),
        baseline=baseline,
        model=_model_name(estimator),
        score_name=_score_name(scoring, estimator),
        n_rows=X.shape[0],
        n_columns=int(np.prod(X.shape[1:])),
        n_folds=len(splits),
        n_seeds=n_seeds,
        test_ratio=float(np.mean([len(test) / len(train) for train, test in splits])),
        confidence=confidence,
        target_loss=target_loss,
        stopped=stopped,
        has_losses=any(run.loss_curve for run in runs),
    )
    return NormalizerComparison(Measured(runs, design, pipelines, step, X, y))


def _check_baseline(baseline: str | None, candidates: dict[str, Any]) -> str:
    if baseline is None:
        return NONE if NONE in candidates else next(iter(candidates))
    if baseline not in candidates:
        raise ValueError(
            f"baseline={baseline!r} is not among the normalizers: {', '.join(candidates)}."
        )
    return baseline


def _check_confidence(confidence: Any) -> None:
    if not isinstance(confidence, (int, float)) or not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1; got {confidence!r}.")


def _model_name(estimator: Any) -> str:
    inner = estimator.steps[-1][1] if hasattr(estimator, "steps") else None
    inner = getattr(estimator, "regressor", None) if inner is None else inner
    return type(estimator).__name__ if inner is None else _model_name(inner)


def _score_name(scoring: Any, estimator: Any) -> str:
    from sklearn.base import is_classifier

    if scoring is None:
        return "accuracy" if is_classifier(estimator) else "R2"
    if isinstance(scoring, str):
        return scoring
    return getattr(scoring, "__name__", None) or type(scoring).__name__
