"""What fits are scored by, how rows are dealt, and weights: chosen, checked, and told."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_diabetes, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import f1_score, get_scorer
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from sknorm import Flattener, compare_normalizers
from sknorm._compare.scoring import best_possible, lowest_told, make_scoring

X, Y = load_wine(return_X_y=True)
WORDS = np.where(Y == 1, "ill", "well")
FEW = ["none", "BatchStatScaler"]
KNN = KNeighborsClassifier()


def compare(model=KNN, X=X, y=Y, **options):
    options = {"normalizers": FEW, "cv": 3, "random_state": 0} | options
    return compare_normalizers(model, X, y, **options)


def test_the_default_notices_rare_classes():
    y = (np.arange(178) % 10 == 0).astype(int)
    comparison = compare(y=y)
    assert comparison.setting_.score_name == "balanced_accuracy"
    assert comparison.setting_.chance == pytest.approx(0.5)
    assert "90% of the rows are of the class 0" in comparison.summary()
    assert "('0', 160 of 178 rows) gets 0.500" in comparison.verdict()
    assert compare().setting_.score_name == "accuracy"


def test_what_guessing_gets():
    comparison = compare(scoring="accuracy")
    known = cross_val_score(DummyClassifier(), X, Y, cv=3, scoring="accuracy").mean()
    assert comparison.setting_.chance == pytest.approx(known, abs=0.01)
    data = load_diabetes()
    regression = compare(Ridge(), data.data, data.target)
    assert regression.setting_.chance == pytest.approx(0, abs=0.05)
    assert regression.setting_.floor == pytest.approx(-1, abs=0.1)
    assert "Always guessing the mean of the target gets" in regression.verdict()
    squared = compare(Ridge(), data.data, data.target, scoring="neg_mean_squared_error")
    variance = data.target.var()
    assert squared.setting_.floor == pytest.approx(-2 * variance, rel=0.05)
    assert squared.setting_.rope == pytest.approx(0.01 * variance, rel=0.05)


def test_a_function_of_ones_own_has_no_floor():
    def own(estimator, X, y):
        return estimator.score(X, y)

    scoring = make_scoring(KNN, own, Y, None)
    assert scoring.name == "own"
    assert best_possible(scoring) is None
    assert lowest_told(0.3, None) == -np.inf


@pytest.mark.parametrize(
    ("scoring", "y", "message"),
    [
        ("f1", WORDS, r"pos_label='well' \(--positive well on the command line\), or use f1_macro"),
        ("precision", WORDS, "precision_macro"),
        ("roc_auc", Y, "roc_auc_ov"),
        ("F1", WORDS, "Did you mean 'f1'"),
        ("accuracies", Y, "Did you mean 'accuracy'"),
    ],
)
def test_scores_that_do_not_fit_are_refused_before_any_fit(scoring, y, message):
    class Never(KNeighborsClassifier):
        def fit(self, X, y):
            raise AssertionError("a fit was made")

    with pytest.raises(ValueError, match=message):
        compare(Never(), y=y, scoring=scoring)


def test_every_score_that_is_named_works():
    with pytest.raises(ValueError, match="Those that fit this target") as refusal:
        compare(scoring="beauty")
    named = str(refusal.value).split("target: ")[1].rstrip(".").split(", ")
    assert {"accuracy", "f1_macro", "neg_log_loss", "roc_auc_ovr"} <= set(named)
    model = LogisticRegression(max_iter=2000).fit((X - X.mean(0)) / X.std(0), Y)
    for name in named:
        assert np.isfinite(get_scorer(name)(model, (X - X.mean(0)) / X.std(0), Y))


def test_a_score_that_the_model_cannot_give_is_refused():
    from sklearn.svm import SVC

    with pytest.raises(ValueError, match=r"neg_log_loss' .*the model has no predict_proba"):
        compare(SVC(), scoring="neg_log_loss")
    assert make_scoring(SVC(), "roc_auc", WORDS, None).name == "roc_auc"


def test_positive_class():
    comparison = compare(y=WORDS, scoring="f1", pos_label="ill", normalizers=["none"])
    train, test = next(
        (np.setdiff1d(np.arange(178), rows), rows)
        for rows in [np.arange(0, 178, 3)]
    )  # fmt: skip
    fitted = KNN.fit(X[train], WORDS[train])
    made = make_scoring(KNN, "f1", WORDS, "ill")
    expected = f1_score(WORDS[test], fitted.predict(X[test]), pos_label="ill")
    assert made(fitted, X[test], WORDS[test]) == {"f1": expected}
    assert 0 < comparison.measures_["none"].test_score.estimate < 1


def test_several_scores():
    comparison = compare(scoring=["f1_macro", "accuracy"])
    assert comparison.setting_.score_name == "f1_macro"
    row = comparison.measures_["BatchStatScaler"]
    assert row.other_scores["accuracy"] == pytest.approx(
        compare(scoring="accuracy").measures_["BatchStatScaler"].test_score.estimate
    )
    header = str(comparison).splitlines()[0]
    assert "f1_macro" in header
    assert "accuracy" in str(comparison)


@pytest.mark.filterwarnings("ignore:'feature 13' looks like a row number")
@pytest.mark.filterwarnings("ignore:'feature 13' tells the target by itself")
def test_groups_stay_together_and_repeats_draw_anew():
    groups = np.arange(178) // 4
    seen = []

    class Watching(KNeighborsClassifier):
        def fit(self, X, y):
            seen.append(set(X[:, -1].astype(int)))
            return super().fit(X, y)

    marked = np.column_stack([X, np.arange(178)])
    comparison = compare(Watching(), marked, groups=[f"g{g}" for g in groups], n_repeats=2,
                         normalizers=["none"])  # fmt: skip
    assert comparison.setting_.n_splits == 6
    assert len({frozenset(rows) for rows in seen}) == 6
    for rows in seen:
        inside = {groups[row] for row in rows}
        assert all(row in rows for row in range(178) if groups[row] in inside)
    assert "rows of a group together" in comparison.summary()


def test_folds_in_the_order_of_time():
    comparison = compare(cv=TimeSeriesSplit(3), y=np.arange(178) % 2)
    assert "each later than its training rows" in comparison.summary()


def test_weights_reach_normalizer_model_and_score():
    weights = np.where(np.arange(178) % 2, 1.0, 0.0)
    model = SGDClassifier(max_iter=50, random_state=0)
    weighted = compare(model, sample_weight=weights, n_seeds=1)
    doubled = compare(model, sample_weight=weights * 2, n_seeds=1, scoring="accuracy")
    assert weighted.measures_["none"].n_scored == 3
    name = "BatchStatScaler"
    fitted = weighted.fit_best() if weighted.recommended_ == name else None
    if fitted is not None:
        kept = weights > 0
        assert np.allclose(fitted.named_steps["norm"].mean_, X[kept].mean(axis=0))
    assert doubled.measures_[name].n_scored == 3


def test_text_is_scaled_as_what_reaches_the_normalizer():
    words = np.array([f"word{i % 7} word{i % 3}" for i in range(60)], dtype=object)
    model = make_pipeline(CountVectorizer(), LogisticRegression())
    comparison = compare(model, words, np.arange(60) % 3, normalizers=None, n_seeds=1)
    assert comparison.measures_["StandardScaler(with_mean=False)"].n_scored == 3
    assert sparse.issparse(CountVectorizer().fit_transform(words))


def test_channels_are_flattened_behind_the_normalizer():
    signals = X[:, :12].reshape(-1, 3, 4)
    comparison = compare(KNN, signals, normalizers=None)
    for name in ("BatchStatScaler", "LayerScaler(n_groups=3)", "StandardScaler"):
        assert comparison.measures_[name].n_scored == 3, name
    assert "Flattener()" in comparison.snippet()
    with pytest.warns(UserWarning, match="put the normalizer first, and a Flattener behind"):
        compare(make_pipeline(Flattener(), KNN), signals)
