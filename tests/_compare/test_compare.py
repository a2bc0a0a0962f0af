"""The comparison: what it measures, that it repeats, and that one failure costs nothing else."""

import inspect
import os
import signal
import threading
import time
import warnings

import numpy as np
import pandas
import pyarrow
import pytest
from comparisons import without_times
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier, SGDRegressor
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler, StandardScaler
from sklearn.svm import SVC

from sknorm import BatchStatScaler, L2Normalizer, LayerScaler, compare_normalizers
from sknorm._cli.options import make_parser
from sknorm._compare.names import N_FOLDS
from sknorm._compare.typed import ComparisonTable, RunsTable

X, Y = load_wine(return_X_y=True)
MLP = MLPClassifier(hidden_layer_sizes=(8,), max_iter=20)
NOISY = X[:, 0] + np.random.default_rng(0).normal(size=178)
PIPELINE = make_pipeline(StandardScaler(), SVC())
FEW = ["none", "BatchStatScaler", "L2Normalizer"]


class Broken(TransformerMixin, BaseEstimator):
    """Fails at every fit."""

    def fit(self, X, y=None):
        raise RuntimeError("no way\nsecond line")

    def transform(self, X):
        return X


class Unsendable(TransformerMixin, BaseEstimator):
    """Cannot be pickled."""

    def __init__(self, lock=None):
        self.lock = lock

    def __sklearn_clone__(self):
        return self

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


class Interrupting(ClassifierMixin, BaseEstimator):
    """Sends Ctrl-C to its own process at the fit of a certain number."""

    fits = 0

    def __init__(self, at=7, random_state=None):
        self.at = at
        self.random_state = random_state

    def fit(self, X, y):
        type(self).fits += 1
        # As long as a real fit: joblib drops results that nobody has had the time to take.
        time.sleep(0.05)
        if type(self).fits == self.at:
            raise KeyboardInterrupt
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_measures_what_scikit_learn_measures():
    """Scores, epochs and losses are those of the same fits made by hand."""
    comparison = compare_normalizers(MLP, X, Y, normalizers=FEW, cv=3, n_seeds=2, random_state=3)
    rng = np.random.RandomState(3)
    limit = np.iinfo(np.int32).max
    folds = StratifiedKFold(3, shuffle=True, random_state=rng.randint(limit))
    made = iter(comparison._measured.runs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for train, test in folds.split(X, Y):
            for seed in [rng.randint(limit) for _ in range(2)]:
                for normalizer in (FunctionTransformer(), BatchStatScaler(), L2Normalizer()):
                    model = MLPClassifier(hidden_layer_sizes=(8,), max_iter=20, random_state=seed)
                    pipeline = make_pipeline(normalizer, model).fit(X[train], Y[train])
                    run = next(made)
                    assert run.test_score == pytest.approx(pipeline.score(X[test], Y[test]))
                    assert run.train_score == pytest.approx(pipeline.score(X[train], Y[train]))
                    assert run.loss_curve == pytest.approx(model.loss_curve_)
                    assert run.n_iter == model.n_iter_
                    assert run.converged == (model.n_iter_ < 20)
                    assert run.warnings == ({} if run.converged else {"ConvergenceWarning": 1})
    assert next(made, None) is None


def test_default_is_all_of_ours_none_and_two_yardsticks():
    comparison = compare_normalizers(KNeighborsClassifier(), X, Y, cv=10, random_state=0)
    assert list(comparison.measures_) == [
        *("none", "BatchStatScaler", "PowerNormScaler", "SquashingScaler", "LayerScaler"),
        *("L1Normalizer", "L2Normalizer", "MaxNormalizer", "StandardScaler", "RobustScaler"),
    ]
    assert comparison.setting_.n_seeds == 1, "k-NN has no random state to vary"
    assert comparison.measures_["BatchStatScaler"].verdict == "better"
    assert np.isnan(comparison.measures_["BatchStatScaler"].seed_std)


@pytest.mark.parametrize("model", [MLP, SGDClassifier(max_iter=20)])
def test_same_table_for_any_n_jobs(model):
    tables = [
        pandas.DataFrame(
            compare_normalizers(
                model, X, Y, normalizers=FEW, cv=2, n_seeds=2, random_state=0, n_jobs=n_jobs
            ).table
        )
        for n_jobs in (1, 2)
    ]
    pandas.testing.assert_frame_equal(*map(without_times, tables), check_exact=True)


def test_another_random_state_gives_other_folds_and_seeds():
    first, second = (
        compare_normalizers(MLP, X, Y, normalizers=["none"], cv=2, n_seeds=2, random_state=state)
        for state in (0, 1)
    )
    assert len(set(first.runs["random_state"])) == 4
    assert not set(first.runs["random_state"]) & set(second.runs["random_state"])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_failing_candidate_does_not_lose_the_others(n_jobs):
    comparison = compare_normalizers(
        LogisticRegression(max_iter=20),
        X,
        Y,
        normalizers={"none": None, "broken": Broken(), "batch": BatchStatScaler()},
        cv=2,
        n_seeds=1,
        n_jobs=n_jobs,
        random_state=0,
    )
    broken = comparison.measures_["broken"]
    assert broken.failed == 1
    assert broken.n_scored == 0
    assert broken.verdict == "no score"
    assert broken.error == "RuntimeError: no way"
    assert comparison.measures_["batch"].n_scored == 2
    assert comparison.best_name_ == "batch"
    assert "broken failed with RuntimeError: no way" in comparison.summary()


def test_unpicklable_candidate_does_not_lose_the_others():
    comparison = compare_normalizers(
        KNeighborsClassifier(),
        X,
        Y,
        normalizers={"none": None, "locked": Unsendable(threading.Lock())},
        n_jobs=2,
        random_state=0,
    )
    assert "cannot be sent to worker processes" in comparison.measures_["locked"].error
    assert comparison.measures_["none"].n_scored == N_FOLDS


def test_divergence_is_counted_not_averaged_away():
    """SGD on raw units overflows; a normalized one does not."""
    data = load_diabetes(scaled=False)
    huge = data.data * 1e6
    comparison = compare_normalizers(
        SGDRegressor(), huge, data.target, normalizers=["none", "BatchStatScaler"], cv=2, n_seeds=2
    )
    raw = comparison.measures_["none"]
    assert raw.diverged == 1
    assert raw.failed == 0
    assert comparison.measures_["BatchStatScaler"].diverged == 0
    assert comparison.measures_["BatchStatScaler"].verdict == "undecided", "nothing to pair with"
    assert "no fit gave a score at all" in comparison.verdict()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_interrupt_gives_what_was_measured(n_jobs):
    Interrupting.fits = 0
    comparison = compare_normalizers(
        Interrupting(at=7 if n_jobs == 1 else 4),
        X,
        Y,
        normalizers=FEW,
        cv=4,
        n_seeds=2,
        n_jobs=n_jobs,
        random_state=0,
    )
    assert comparison.partial_
    assert 0 < len(comparison._measured.runs) < 24
    assert comparison.setting_.stopped == "interrupted"
    assert comparison.summary().startswith("PARTIAL: interrupted after")
    assert "partial" in repr(comparison)
    assert "Partial" in comparison._repr_html_()
    assert sum(comparison.table["n_fits"]) == len(comparison._measured.runs)


def test_ctrl_c_within_an_mlp_stops_the_comparison():
    """MLPs take Ctrl-C for the end of their training; the comparison must not go on."""
    slow = MLPClassifier((100, 100), max_iter=100_000, tol=0.0, n_iter_no_change=100_000)

    def interrupt():
        time.sleep(0.8)
        os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=interrupt)
    sender.start()
    start = time.perf_counter()
    comparison = compare_normalizers(slow, X, Y, normalizers=FEW, cv=2, n_seeds=1)
    sender.join()
    assert time.perf_counter() - start < 10
    assert comparison.partial_
    assert comparison._measured.runs == []
    assert "No fit gave a score" in comparison.verdict()
    assert comparison.best_name_ is None
    assert "PARTIAL" in comparison.summary()
    str(comparison)
    with pytest.raises(ValueError, match="no best pipeline"):
        comparison.fit_best()


def test_target_loss_and_censoring():
    comparison = compare_normalizers(
        MLP, X, Y, normalizers=FEW, cv=2, n_seeds=2, random_state=0, target_loss=1e-9
    )
    row = comparison.measures_["BatchStatScaler"]
    assert row.reached == 0
    assert row.epochs_to_target == np.inf
    assert row.seconds_to_target == np.inf
    assert "out of reach" in comparison.summary()
    easy = compare_normalizers(
        MLP, X, Y, normalizers=FEW, cv=2, n_seeds=2, random_state=0, target_loss=1e9
    )
    assert easy.measures_["BatchStatScaler"].epochs_to_target == 1


def test_best_is_refitted_on_all_data():
    comparison = compare_normalizers(
        LogisticRegression(max_iter=50), X, Y, normalizers=["BatchStatScaler"], cv=2, n_seeds=1
    )
    assert comparison.baseline_ == "BatchStatScaler"
    best = comparison.fit_best()
    assert best.named_steps["norm"].n_samples_seen_ == len(X)
    assert best is not comparison.fit_best()
    assert best.score(X, Y) > 0.95


def test_callers_data_are_left_alone():
    kept_X, kept_y = X.copy(), Y.copy()
    compare_normalizers(KNeighborsClassifier(), X, Y, random_state=0)
    assert np.array_equal(X, kept_X)
    assert np.array_equal(Y, kept_y)


@pytest.mark.parametrize(
    ("pipeline", "step"),
    [
        (Pipeline([("norm", "passthrough"), ("knn", KNeighborsClassifier())]), "norm"),
        (make_pipeline(StandardScaler(), KNeighborsClassifier()), "standardscaler"),
        (make_pipeline(FunctionTransformer(), KNeighborsClassifier()), "norm"),
        (KNeighborsClassifier(), "norm"),
    ],
)
def test_step_to_replace(pipeline, step):
    comparison = compare_normalizers(
        pipeline, X, Y, normalizers=["none", "LayerScaler"], cv=2, random_state=0
    )
    assert comparison.fit_best().steps[-2][0] == step
    assert isinstance(comparison._measured.pipelines["LayerScaler"].steps[-2][1], LayerScaler)
    assert comparison._measured.pipelines["none"].steps[-2][1] == "passthrough"


def test_nested_step():
    inner = Pipeline([("scale", StandardScaler()), ("same", "passthrough")])
    outer = Pipeline([("pre", inner), ("knn", KNeighborsClassifier())])
    comparison = compare_normalizers(
        outer, X, Y, normalizers=["none", "LayerScaler"], cv=2, step="pre__scale", random_state=0
    )
    assert comparison._measured.distributions.quantiles["none"].shape == (6, 5)
    with pytest.raises(ValueError, match=r"step='nowhere' is no step .* \['pre'\]"):
        compare_normalizers(outer, X, Y, step="nowhere")


@pytest.mark.parametrize(
    ("estimator", "y", "inner"),
    [
        (
            TransformedTargetRegressor(make_pipeline(StandardScaler(), Ridge())),
            NOISY,
            "regressor__standardscaler",
        ),
        (
            GridSearchCV(make_pipeline(BatchStatScaler(), KNeighborsClassifier()), {}, cv=2),
            Y,
            "estimator__batchstatscaler",
        ),
        (
            make_pipeline(
                ColumnTransformer([("units", RobustScaler(), [0, 1])]), KNeighborsClassifier()
            ),
            Y,
            "columntransformer__units",
        ),
    ],
)
def test_a_scaler_inside_that_stays_is_warned_about(estimator, y, inner):
    """Else every candidate is scaled, and "none" is not what it says."""
    options = {"normalizers": ["none", "L2Normalizer"], "cv": 2, "n_seeds": 1}
    with pytest.warns(UserWarning, match=f"has a scaler of its own, {inner} .*step='{inner}'"):
        compare_normalizers(estimator, X, y, **options)
    comparison = compare_normalizers(estimator, X, y, step=inner, **options)
    parts = comparison._measured.pipelines["none"].get_params(deep=True)
    assert parts[inner] == "passthrough"
    assert comparison.measures_["none"].n_scored == 2


def test_no_warning_of_scalers_that_are_replaced_or_scale_the_target():
    target = make_pipeline(StandardScaler(), "passthrough")
    for transformer in (StandardScaler(), target):
        model = TransformedTargetRegressor(Ridge(), transformer=transformer)
        pipeline = make_pipeline(StandardScaler(), model)
        compare_normalizers(pipeline, X, NOISY, normalizers=["none"], cv=2, random_state=0)


def test_channels_and_positions():
    images = X[:, :12].reshape(-1, 3, 4)
    flatten = FunctionTransformer(lambda images: images.reshape(len(images), -1))
    pipeline = Pipeline([("norm", None), ("flat", flatten), ("knn", KNeighborsClassifier())])
    comparison = compare_normalizers(
        pipeline,
        images,
        Y,
        normalizers=["none", "BatchStatScaler", LayerScaler(n_groups=3), "StandardScaler"],
        random_state=0,
    )
    assert comparison.measures_["LayerScaler(n_groups=3)"].n_scored == N_FOLDS
    assert comparison.measures_["StandardScaler"].failed == 1
    assert comparison._measured.distributions.quantiles["BatchStatScaler"].shape == (3, 5)
    assert comparison._measured.distributions.quantiles["StandardScaler"] is None


def test_sparse_input():
    sparse_X = sparse.csr_array(np.where(np.median(X, axis=0) < X, X, 0.0))
    comparison = compare_normalizers(KNeighborsClassifier(), sparse_X, Y, random_state=0)
    assert all(row.failed == 0 for row in comparison.measures_.values())
    assert "StandardScaler(with_mean=False)" in comparison.measures_
    centering = compare_normalizers(
        KNeighborsClassifier(), sparse_X, Y, normalizers=["none", "StandardScaler"], random_state=0
    )
    assert "Cannot center sparse" in centering.measures_["StandardScaler"].error
    assert centering.measures_["none"].n_scored == N_FOLDS
    assert centering._measured.distributions.quantiles["none"].shape == (6, 5)


def test_regression_with_transformed_target_frames_and_many_outputs():
    frame, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    model = TransformedTargetRegressor(
        MLPRegressor(hidden_layer_sizes=(4,), max_iter=10), transformer=StandardScaler()
    )
    comparison = compare_normalizers(
        model, frame, y, normalizers=FEW, cv=2, n_seeds=2, random_state=0
    )
    assert comparison.setting_.score_name == "R2"
    assert comparison.setting_.model == "MLPRegressor"
    assert {len(curve) for curve in comparison.runs["loss_curve"]} == {10}
    many = compare_normalizers(Ridge(), frame, np.c_[y, -y], normalizers=FEW, cv=2, random_state=0)
    assert many.fit_best().predict(frame).shape == (len(y), 2)


@pytest.mark.parametrize(
    "cv",
    [
        KFold(3),
        RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
        list(GroupKFold(3).split(X, Y, np.arange(len(X)) % 6)),
    ],
)
def test_cross_validators(cv):
    comparison = compare_normalizers(
        KNeighborsClassifier(), X, Y, normalizers=["none", "BatchStatScaler"], cv=cv
    )
    n_splits = 6 if isinstance(cv, RepeatedStratifiedKFold) else 3
    assert comparison.setting_.n_folds == n_splits
    assert comparison.setting_.test_ratio == pytest.approx(0.5, rel=0.1)


def test_scoring():
    comparison = compare_normalizers(
        KNeighborsClassifier(), X, Y, normalizers=["none"], scoring="balanced_accuracy"
    )
    assert comparison.setting_.score_name == "balanced_accuracy"

    def doubled(estimator, X, y):
        return 2 * estimator.score(X, y)

    assert (
        compare_normalizers(
            KNeighborsClassifier(), X, Y, normalizers=["none"], scoring=doubled
        ).setting_.score_name
        == "doubled"
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"estimator": MLPClassifier}, TypeError, "pass an instance"),
        ({"estimator": "mlp"}, TypeError, "has no method 'fit'"),
        ({"estimator": StandardScaler()}, TypeError, "has no method 'predict'"),
        ({"y": np.zeros(len(X))}, ValueError, "y has one class"),
        ({"estimator": Ridge(), "y": np.zeros(len(X))}, ValueError, "y is constant"),
        ({"y": None}, ValueError, "y is None"),
        ({"X": np.ones((0, 2)), "y": np.ones(0)}, ValueError, "X has no rows"),
        ({"y": np.zeros((len(X), 1))}, ValueError, r"y has one class, 0\.0:"),
        ({"target_loss": "low"}, ValueError, "target_loss must be a finite number or None"),
        ({"target_loss": np.nan}, ValueError, "target_loss must be a finite number or None"),
        ({"scoring": []}, ValueError, "scoring is empty"),
        ({"scoring": ["f1_macro", "f1_macro"]}, ValueError, "a score more than once"),
        ({"scoring": [3]}, TypeError, "scoring must be one metric"),
        ({"rope": -1}, ValueError, "rope must be a number of at least 0"),
        ({"n_repeats": 0}, ValueError, "n_repeats must be a whole number of at least 1"),
        ({"n_repeats": 2, "cv": KFold(3)}, ValueError, "needs cv to be a number of folds"),
        ({"groups": Y[:-1]}, ValueError, "groups must have one value for each of the 178 rows"),
        ({"groups": [None, *Y[1:]]}, ValueError, "groups has no value in row 0"),
        ({"groups": Y, "cv": 5}, ValueError, "3 groups, which is fewer than 5 folds"),
        ({"cv": GroupKFold(3)}, ValueError, r"pass groups=.* cv=list\(splitter.split"),
        ({"sample_weight": -X[:, 0]}, ValueError, "sample_weight must be finite and not negative"),
        ({"sample_weight": X}, ValueError, "sample_weight must have one number for each"),
        ({"scoring": {"a": "accuracy"}}, TypeError, "scoring must be one metric"),
        ({"y": np.where(Y == 0, np.nan, Y)}, ValueError, "59 missing .* first in row 0"),
        (
            {"y": np.array([None, *map(str, Y[1:])], dtype=object)},
            ValueError,
            "1 missing .* first in row 0",
        ),
        ({"y": Y + 0.5 * (Y > 0) + X[:, 0]}, ValueError, "continuous values, and SVC is"),
        (
            {"estimator": Ridge(), "y": Y.astype(str) + "a"},
            ValueError,
            "y has text.* Ridge is a reg",
        ),
        ({"estimator": Ridge(), "y": Y.astype("M8[D]")}, ValueError, "y has dates"),
        ({"estimator": Ridge(), "y": Y.astype("m8[D]")}, ValueError, "y has durations"),
        ({"estimator": Ridge(), "y": Y * 1j}, ValueError, "y has complex"),
        ({"y": Y[:-1]}, ValueError, "inconsistent numbers of samples"),
        ({"cv": 200}, ValueError, "178 samples, which is fewer than 200 folds"),
        ({"cv": 100}, ValueError, r"has a member for each of 100 folds \(the largest, '1', has 71"),
        ({"cv": 1}, ValueError, "cv must be a whole number of at least 2"),
        ({"n_seeds": 0}, ValueError, "n_seeds must be .* at least 1; got 0"),
        ({"n_seeds": 2.5}, ValueError, "n_seeds must be a whole number"),
        ({"confidence": 95}, ValueError, "confidence must be between 0 and 1"),
        ({"baseline": "nothing"}, ValueError, "baseline='nothing' is not among"),
        ({"normalizers": ["BatchScaler"]}, ValueError, "Did you mean 'BatchStatScaler'"),
        ({"normalizers": []}, ValueError, "normalizers is empty"),
        ({"normalizers": "none"}, TypeError, "must be a list"),
        ({"normalizers": [BatchStatScaler]}, TypeError, r"pass an instance, BatchStatScaler\(\)"),
        ({"normalizers": [KNeighborsClassifier()]}, TypeError, "is no normalizer"),
        ({"normalizers": ["none", None]}, ValueError, "'none' more than once"),
        ({"scoring": "beauty"}, ValueError, "beauty"),
        ({"progress": "yes"}, TypeError, "progress must be True, False"),
        ({"scoring": "F1"}, ValueError, "Did you mean 'f1'"),
        ({"scoring": "roc_auc"}, ValueError, "does not fit this target or model"),
        ({"scoring": "f1"}, ValueError, "does not fit this target.* f1_macro"),
        ({"scoring": "recall", "pos_label": 1}, ValueError, "must be one of two classes"),
        ({"normalizers": [Broken()]}, ValueError, "Every fit failed, the first with RuntimeError"),
        *(
            ({"estimator": PIPELINE, "step": step}, ValueError, f"step='{step}' is no step before")
            for step in ("svc", "svc__C", "memory", "standardscaler__with_mean", "", "scaler")
        ),
        ({"step": "C"}, ValueError, "step='C' is no step"),
        (
            {"estimator": make_pipeline(StandardScaler(), L2Normalizer(), SVC())},
            ValueError,
            "more than one step .* step='standardscaler'",
        ),
    ],
)
def test_bad_input(options, error, message):
    given = {"estimator": SVC(), "X": X, "y": Y, "normalizers": ["none"], "cv": 2} | options
    with pytest.raises(error, match=message):
        compare_normalizers(given.pop("estimator"), given.pop("X"), given.pop("y"), **given)


@pytest.mark.parametrize("kind", [np.asarray, pandas.DataFrame])
def test_column_is_one_target(kind):
    """Without a word: scikit-learn would warn at every fit."""
    column, flat = (
        compare_normalizers(
            LogisticRegression(), X, y, normalizers=["StandardScaler"], cv=3, random_state=0
        )
        for y in (kind(Y[:, None]), Y)
    )
    assert column.measures_["StandardScaler"].warnings == {}
    assert column.table["test_score"] == flat.table["test_score"]


def test_rare_class_is_warned_about_not_refused():
    y = np.where(np.arange(len(Y)) == 0, 9, Y)
    with pytest.warns(UserWarning, match="class '9' of y has 1 of 178 rows, so that some of 3"):
        comparison = compare_normalizers(
            KNeighborsClassifier(), X, y, normalizers=["none"], cv=3, random_state=0
        )
    assert comparison.measures_["none"].n_scored == 3


def test_every_fit_uses_one_thread():
    """Else n_jobs fits of many threads each would fight for the cores."""
    from threadpoolctl import threadpool_info

    seen = []

    def look(estimator, X, y):
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return 1.0

    compare_normalizers(KNeighborsClassifier(), X, Y, normalizers=["none"], cv=2, scoring=look)
    assert set(seen[:4]) == {1}, "two folds, training and test"


def test_tables_are_plain_columns_that_make_a_frame():
    comparison = compare_normalizers(KNeighborsClassifier(), X, Y, normalizers=FEW, cv=2)
    assert comparison.table["normalizer"] == FEW
    assert len(comparison.table["test_score"]) == 3
    assert comparison.runs["fold"] == [0, 0, 0, 1, 1, 1]
    frame = pandas.DataFrame(comparison.table).set_index("normalizer")
    assert frame.test_score.idxmax() == comparison.best_name_
    # What type checkers are told of them.
    assert list(comparison.table) == list(ComparisonTable.__annotations__)
    assert list(comparison.runs) == list(RunsTable.__annotations__)


def test_function_and_command_have_the_same_defaults():
    defaults = inspect.signature(compare_normalizers).parameters
    command = make_parser().parse_args([])
    assert (defaults["cv"].default, defaults["n_seeds"].default) == (command.folds, command.seeds)


def test_no_attribute_trains_a_model():
    """``best_`` did, seconds or minutes long."""
    comparison = compare_normalizers(Counted(), X, Y, normalizers=["none"], cv=2, n_seeds=1)
    fits = Counted.n_fits
    for name in dir(comparison):
        getattr(comparison, name)
    assert Counted.n_fits == fits
    comparison.fit_best()
    assert Counted.n_fits == fits + 1


class Counted(KNeighborsClassifier):
    """Count the fits of all instances."""

    n_fits = 0

    def fit(self, X, y):
        type(self).n_fits += 1
        return super().fit(X, y)


def compared(features, target):
    return compare_normalizers(
        KNeighborsClassifier(), features, target, normalizers=["none"], cv=3, random_state=0
    )


@pytest.mark.parametrize(
    ("features", "target", "message"),
    [
        ({"a": [1, 2]}, Y, r"X is a builtins.dict.*pandas.DataFrame\(X\)"),
        (None, Y, "X is None"),
        (X, 3, r"y is 3 \(int\)"),
        (X, {1, 2}, "y is a builtins.set"),
        ("rows.csv", Y, "X is a str.*read_table reads files"),
        (iter(X), Y, "rows cannot be chosen for folds"),
        (np.asmatrix(X), Y, "X is a numpy.matrix"),
        (np.rec.fromarrays(X.T), Y, "X is an array of records"),
        (X[:, 0], Y, r"X has shape \(178,\).*reshape"),
        (pandas.Series(X[:, 0]), Y, r"X has shape \(178,\).*to_frame"),
        (X, np.ma.masked_equal(Y, 1), "y is masked in row 59"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_rows_cannot_be_chosen_of_is_refused_before_any_fit(features, target, message):
    with pytest.raises((TypeError, ValueError), match=message):
        compared(features, target)


def test_arrow_and_masks():
    expected = compared(pandas.DataFrame(X), Y).measures_["none"].test_score
    names = [f"x{place}" for place in range(X.shape[1])]
    table = pyarrow.table(dict(zip(names, X.T, strict=True)))
    for rows in (table, table.combine_chunks().to_batches()[0], np.ma.array(X)):
        assert compared(rows, Y).measures_["none"].test_score == expected
