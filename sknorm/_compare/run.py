"""The run of a comparison: every normalizer in every fold, from every initialization."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_random_state

from sknorm._compare.advice import advice
from sknorm._compare.analysis.decisions import ROPE
from sknorm._compare.analysis.design import Design
from sknorm._compare.analysis.measured import Measured
from sknorm._compare.candidates import pipeline_maker, resolve_normalizers
from sknorm._compare.fitting.progress import run_tasks
from sknorm._compare.fitting.task import Problem, Task, seed_parameters
from sknorm._compare.hazards import find_hazards
from sknorm._compare.inputs import (
    check_data,
    check_estimator,
    check_number,
    check_target_loss,
    check_weights,
    draw_seed,
)
from sknorm._compare.names import N_FOLDS, N_SEEDS, NONE, REFERENCE
from sknorm._compare.preparation import what_is_normalized, with_preparation
from sknorm._compare.result import NormalizerComparison
from sknorm._compare.scoring import (
    best_possible,
    chance_level,
    classes_of,
    lowest_told,
    make_scoring,
)
from sknorm._compare.splits import check_groups, describe_splits, make_splits


def compare_normalizers(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    normalizers: Any = None,
    baseline: str | None = None,
    step: str | None = None,
    cv: Any = N_FOLDS,
    n_repeats: int = 1,
    groups: Any = None,
    scoring: Any = None,
    pos_label: Any = None,
    sample_weight: Any = None,
    n_seeds: int = N_SEEDS,
    target_loss: float | None = None,
    confidence: float = 0.95,
    rope: float | None = None,
    n_jobs: int | None = None,
    random_state: Any = None,
    progress: Any = None,
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
    X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features) or \
            (n_samples, n_channels, *positions)
        The data, in raw units. A data frame with text, dates or gaps goes through
        :func:`~sknorm.tables.make_table_pipeline`, and data with positions goes through a
        :class:`~sknorm.Flattener` behind the normalizer, unless the estimator is a pipeline with
        steps of its own before the model.
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
        How to split. A number is that many shuffled folds, stratified for classifiers. For rows in
        the order of time, ``TimeSeriesSplit``.
    n_repeats : int, default=1
        How often to draw the folds anew, where ``cv`` is a number.
    groups : array-like of shape (n_samples,), default=None
        Rows with the same value belong together, and are never in training and test at once.
    scoring : str, callable or list of them, default=None
        What to score by, as in :func:`sklearn.model_selection.cross_val_score`; of several, the
        first decides. None means accuracy, or R2 for regressors; where one class is three quarters
        of the rows or more, balanced accuracy, which notices the others.
    pos_label : object, default=None
        The class that scores of one class look at: f1, precision, recall, jaccard and
        average_precision. None means 1.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, for the normalizers, the model and the score.
    n_seeds : int, default=2
        Initializations per fold: values of every ``random_state`` in the pipeline. A model
        without any is fitted once per fold. One whose ``random_state`` changes nothing, such as
        ``SVC()``, is fitted as often as any other, and its scores are said not to vary; 1 saves
        the time.
    target_loss : float, default=None
        The training loss that fits should reach. None means the loss that the baseline ends with,
        in the same fold and with the same seed.
    confidence : float in (0, 1), default=0.95
        Of the intervals: the chance that all of a kind hold together.
    rope : float, default=None
        Scores that differ by less are practically equivalent (the region of practical equivalence).
        None means 0.01 for scores of which 1 is perfect, such as accuracy and R2, else a hundredth
        of what lies between guessing and perfect: less than that seldom pays for a change.
    n_jobs : int, default=None
        Fits to run at a time, as joblib counts them. Each uses one thread, so that the results do
        not depend on it. A process makes one fit at a time, also where joblib is set to use
        threads: they would count each other's warnings.
    random_state : int, RandomState instance or None, default=None
        Draws the folds and the seeds. The same int gives the same table, except for seconds.
    progress : bool, callback or callable, default=None
        None shows it on a terminal. True shows scikit-learn's ``ProgressBar`` where there is one
        (scikit-learn 1.9 with rich,
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
        name is unknown, if a score does not fit the target, or if every fit failed. A normalizer
        that fails, or ends its worker
        process, does not disturb the others: its error is in the table.

    Warns
    -----
    UserWarning
        If something in the data makes the scores untrustworthy: row numbers, columns that tell the
        target by themselves, repeated rows, rows in the order of time, groups, codes for missing
        values, rare classes. And if the estimator has another scaler inside, in a nested pipeline
        or column transformer,
        which would stay with every normalizer, and with none.

    See Also
    --------
    NormalizerComparisonDisplay : Draws the comparison.

    Notes
    -----
    Intervals are those of the corrected resampled t-test [1]_ over the folds, each represented by
    the mean over its seeds: seeds in a fold share their rows, so they are no independent evidence
    on the data. Each fold draws seeds of its own, so that the intervals allow for their luck too.
    Those of one kind hold together, with the correlation of the folds taken into account (max-t
    [2]_): of all normalizers compared with the baseline and with ``StandardScaler``, any is called
    better or worse by chance in at most ``1 - confidence`` of comparisons.

    A difference is *better* or *worse* if its interval is on one side of 0, *equivalent* if it lies
    within the region of practical equivalence, and *undecided* else. A normalizer that lost more
    fits than the baseline, of those that both made, is not called better. Scores without a lower
    bound, such as R2, count as no worse than as far below guessing as guessing is below perfect
    (R2 of -1): beyond that they are all useless, and would drown the others in a mean.

    What is recommended is the simplest of those that score within ``rope`` of the best and are not
    shown to be worse: who lost the fewest fits, then who converges, then who is faster by half,
    then the baseline, then who was given first.

    Runs that never reach the target are not left out of the medians of epochs and seconds to
    reach it, but counted as infinite. Epochs are those of ``loss_curve_``; where the model has
    none, ``n_iter_`` is what is compared, as iterations, and fits that stop at the limit count as
    not having reached it. Seconds to the target take all epochs of a fit as equally long.

    References
    ----------
    .. [1] C. Nadeau and Y. Bengio, "Inference for the Generalization Error", Machine Learning 52,
       2003.
    .. [2] T. Hothorn, F. Bretz and P. Westfall, "Simultaneous Inference in General Parametric
       Models", Biometrical Journal 50, 2008.

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
    estimator, step = with_preparation(estimator, step, X)
    groups = check_groups(groups, X.shape[0])
    sample_weight = check_weights(sample_weight, X.shape[0])
    make, step = pipeline_maker(estimator, step)
    candidates = resolve_normalizers(normalizers, what_is_normalized(estimator, step, X, y))
    baseline = _check_baseline(baseline, candidates)
    n_seeds = check_number("n_seeds", n_seeds, minimum=1)
    n_repeats = check_number("n_repeats", n_repeats, minimum=1)
    _check_confidence(confidence)
    target_loss = check_target_loss(target_loss)
    pipelines = {name: make(candidate) for name, candidate in candidates.items()}
    if not seed_parameters(estimator):
        n_seeds = 1
    scored_by = make_scoring(estimator, scoring, y, pos_label)
    rng = check_random_state(random_state)
    splits = make_splits(estimator, X, y, cv, groups, n_repeats, rng)
    hazards = _warn_of_hazards(estimator, X, y, cv, groups, len(splits) // n_repeats)
    tasks = [
        Task(name, pipeline, fold, seed, drawn, train, test)
        for fold, (train, test) in enumerate(splits)
        for seed, drawn in enumerate(draw_seed(rng) for _ in range(n_seeds))
        for name, pipeline in pipelines.items()
    ]
    problem = Problem(X, y, scored_by, sample_weight)
    runs, stopped = run_tasks(tasks, problem, n_jobs, progress)
    if runs and stopped is None and all(run.status != "ok" for run in runs):
        raise ValueError(f"Every fit failed, the first with {runs[0].error}")
    chance = chance_level(scored_by, estimator, y, splits)
    perfect = best_possible(scored_by)
    design = Design(
        names=tuple(candidates),
        baseline=baseline,
        model=_model_name(estimator),
        score_name=scored_by.name,
        n_rows=X.shape[0],
        n_columns=int(np.prod(X.shape[1:])),
        n_folds=len(splits) // n_repeats,
        n_seeds=n_seeds,
        test_ratio=float(np.mean([len(test) / len(train) for train, test in splits])),
        confidence=confidence,
        target_loss=target_loss,
        stopped=stopped,
        has_losses=any(run.loss_curve for run in runs),
        n_repeats=n_repeats,
        reference=REFERENCE if REFERENCE in candidates and baseline != REFERENCE else None,
        chance=chance,
        best_possible=perfect,
        floor=lowest_told(chance, perfect),
        rope=_rope(rope, chance, perfect),
        classes=classes_of(estimator, y),
        why_score=scored_by.why,
        other_scores=tuple(scored_by.scorers)[1:],
        splitting=describe_splits(cv, groups),
        hazards=tuple(hazards),
    )
    return NormalizerComparison(Measured(runs, design, pipelines, step, X, y, sample_weight))


def _warn_of_hazards(
    estimator: Any, X: Any, y: Any, cv: Any, groups: Any, n_folds: int
) -> list[str]:
    """Warn of what is found in the data that makes scores untrustworthy, and return it."""
    found = find_hazards(
        X,
        y,
        is_classification=is_classifier(estimator),
        how=advice(),
        n_folds=n_folds,
        is_grouped=groups is not None,
        is_ordered=type(cv).__name__ == "TimeSeriesSplit",
    )
    for sentence in found:
        warnings.warn(sentence, UserWarning, stacklevel=3)
    return found


def _rope(rope: Any, chance: float, perfect: float | None) -> float:
    if rope is None:
        span = 1.0 if perfect is None or perfect == 1 else abs(perfect - chance)
        return ROPE * (span if np.isfinite(span) else 1.0)
    if isinstance(rope, bool) or not isinstance(rope, (int, float)) or not 0 <= rope < np.inf:
        raise ValueError(
            f"rope must be a number of at least 0, in units of the score; got {rope!r}."
        )
    return float(rope)


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
