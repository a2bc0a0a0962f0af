"""What a comparison says in words is true of its numbers."""

import numpy as np
import pytest
from comparisons import compared, comparison_of, run, setting
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from sknorm import compare_normalizers
from sknorm._compare.text.tables import legend

X, Y = load_wine(return_X_y=True)
FEW = ["none", "BatchStatScaler"]
RAW = np.array([0.50, 0.52, 0.48, 0.51, 0.49, 0.50, 0.53, 0.47, 0.50, 0.50])
# Higher than all others on average, in half of the folds.
WILD = RAW + np.tile([0.0, 0.2], 5)
# A little higher in every fold.
STEADY = RAW + np.tile([0.05, 0.06], 5)


def line(comparison, promise):
    return next(s for s in comparison.summary().splitlines() if s.startswith(f"{promise}."))


def test_what_is_shown_to_be_better_is_named_though_another_scored_higher():
    comparison = compared({"none": RAW, "wild": WILD, "steady": STEADY})
    verdicts = {name: row.verdict for name, row in comparison.measures_.items()}
    assert verdicts == {"none": "baseline", "wild": "undecided", "steady": "better"}
    said = comparison.verdict()
    assert "Nothing" not in said
    assert said.startswith(
        "Use steady (accuracy 0.555): it is better than the raw features by 0.055 (95%"
    )
    assert "wild scored highest (accuracy 0.600), but the difference to the raw features" in said


@pytest.mark.parametrize("seed", range(30))
def test_verdict_never_denies_what_is_shown(seed):
    """Whatever the scores: nothing is shown if and only if no row is marked better."""
    rng = np.random.default_rng(seed)
    scores = {"none": 0.5 + 0.05 * rng.normal(size=8)}
    for name in ("first", "second", "third"):
        shift, spread = rng.choice([0.0, 0.05, 0.1]), rng.choice([0.02, 0.1])
        scores[name] = scores["none"] + shift + spread * rng.normal(size=8)
        scores[name] = [None if rng.random() < 0.05 else score for score in scores[name]]
    comparison = compared(scores)
    said, rows = comparison.verdict(), comparison.measures_.values()
    shown = [row.normalizer for row in rows if row.verdict == "better"]
    denied = "othing is shown to be better" in said or "othing scored higher" in said
    assert denied == (not shown)
    if shown:
        claims = [f"Use {name} (" in said or f"{name} gain less" in said for name in shown]
        assert any(claims), said
    mean = {row.normalizer: row.test_score.estimate for row in rows if row.n_scored}
    highest = max(mean, key=mean.get)
    if highest != comparison.best_name_:
        assert f"{highest} scored higher" in said.replace("The raw", "the raw").replace(
            "the raw features", "none"
        )
        assert "of those that lost" in said


def test_who_lost_fits_and_scored_highest_is_named():
    lost = [None, *(RAW + 0.3)[1:]]
    comparison = compared({"none": RAW, "flaky": lost})
    assert comparison.best_name_ == "none"
    assert comparison.verdict() == (
        "Keep the raw features (accuracy 0.500): of those that lost the fewest fits, nothing "
        "scored higher. flaky scored higher (accuracy 0.800), but lost 10% of its fits."
    )
    assert "no difference shown" not in line(comparison, 3)
    assert "lost more fits, so not judged: flaky" in line(comparison, 3)
    with_another = compared({"none": RAW, "flaky": lost, "steady": STEADY}).verdict()
    assert with_another.startswith("Use steady (accuracy 0.555): it is better")
    assert "It scored highest of those that lost the fewest fits." in with_another
    assert "flaky scored higher (accuracy 0.800), but lost 10% of its fits" in with_another
    assert "flaky cannot be told apart" not in with_another


def test_legend_says_whom_the_star_is_for():
    star = legend(compared({"none": RAW, "steady": STEADY}).setting_)[0]
    assert star.startswith("*: highest accuracy of those that lost the fewest fits")


def test_legend_says_where_the_raw_features_end():
    assert "as low as where the raw features end;" in " ".join(legend(setting(FEW)))
    assert "as low as where BatchStatScaler ends;" in " ".join(legend(setting(FEW[::-1])))


def test_one_fold_makes_no_interval():
    stopped = {"stopped": "interrupted", "n_folds": 10}
    comparison = compared({"none": RAW[:1], "steady": STEADY[:1]}, **stopped)
    said = comparison.verdict()
    assert "no interval" not in said
    assert "+0.050, comes from one fold" in said
    only = compared({"none": RAW[:1], "steady": []}, **stopped).verdict()
    assert "Only the raw features gave a score (accuracy 0.500)" in only


def test_partial_is_said_wherever_the_result_is():
    comparison = compared({"none": RAW, "steady": STEADY[:-1]}, stopped="interrupted")
    note = "PARTIAL: interrupted after 19 of 20 fits"
    for said in (comparison.verdict(), comparison.summary(), str(comparison)):
        assert said.startswith(note)
    whole = compared({"none": RAW, "steady": STEADY})
    assert "PARTIAL" not in f"{whole}{whole.summary()}"


def test_nothing_measured_claims_nothing():
    comparison = compared({"none": [], "ours": []}, stopped="interrupted", n_folds=5)
    said = comparison.summary()
    assert "converged" not in said
    assert "does not train" not in said
    assert len(said.splitlines()) == 7
    assert all("nothing was measured" in line(comparison, promise) for promise in (1, 2))


@pytest.mark.parametrize("model", [SVC(), LogisticRegression(max_iter=40)])
def test_a_random_state_that_changes_nothing_changes_nothing(model):
    comparison = compare_normalizers(model, X, Y, normalizers=FEW, cv=3, n_seeds=3, random_state=0)
    assert line(comparison, 4).endswith(
        "? No score varies from one initialization to the next, whatever the normalizer."
    )
    assert {row.seed_std for row in comparison.measures_.values()} == {0}


def test_a_random_state_that_matters_is_seen_to():
    comparison = compare_normalizers(
        MLPClassifier(max_iter=1), X, Y, normalizers=FEW, cv=2, n_seeds=2, random_state=0
    )
    assert "varies by 0." in line(comparison, 4)


@pytest.mark.parametrize(
    ("model", "unit", "other"),
    [
        (SVC(), "iteration", "epoch"),
        (MLPClassifier(solver="lbfgs", max_iter=20), "iteration", "epoch"),
        (MLPClassifier(max_iter=3), "epoch", "iteration"),
        (SGDClassifier(), "iteration", "epoch"),
    ],
)
def test_epochs_are_those_of_a_loss_curve(model, unit, other):
    comparison = compare_normalizers(model, X, Y, normalizers=FEW, cv=2, n_seeds=1, random_state=0)
    assert f"{unit}s" in line(comparison, 1)
    assert other not in line(comparison, 1)
    text = " ".join([str(comparison), *legend(comparison.setting_)])
    assert f"{unit}s" in text
    assert f"{other}s" not in text


def test_a_model_without_iterations_has_none_to_count():
    comparison = compare_normalizers(
        KNeighborsClassifier(), X, Y, normalizers=FEW, cv=2, random_state=0
    )
    assert "does not train in epochs or iterations" in line(comparison, 1)


def test_of_a_baseline_without_scores_nothing_is_compared():
    comparison = compared({"none": [None] * 10, "ours": STEADY})
    assert line(comparison, 3) == (
        "3. Better on new data? With the raw features no fit gave a score to compare with."
    )
    assert ".." not in comparison.summary()


def test_how_many_epochs_is_bounded_where_runs_stop_short():
    def lasting(name, n_iter, converged):
        return [
            run(name, fold, 0, None, n_iter=n_iter + fold, converged=converged)
            for fold in range(10)
        ]

    def said(*runs):
        asked = setting(["none", "ours"], n_folds=10, has_losses=False, test_ratio=1 / 9)
        found = comparison_of([*runs[0], *runs[1]], asked)
        return line(found, 1)

    assert "fewer: ours (at most 2" in said(lasting("none", 100, False), lasting("ours", 20, True))
    some = lasting("ours", 100, True)[:1] + lasting("ours", 100, False)[1:]
    assert "not to get there: ours (at least 4" in said(lasting("none", 20, True), some)
    assert "not to get there: ours (0% of fits get there, 100%" in said(
        lasting("none", 20, True), lasting("ours", 100, False)
    )
    assert "fewer: ours (2" in said(lasting("none", 100, True), lasting("ours", 20, True))


class Picky(LogisticRegression):
    """A model that refuses features in their own units."""

    def fit(self, X, y):
        if np.abs(X).max() > 100:
            raise ValueError("these are not scaled")
        return super().fit(X, y)


def test_what_failed_is_the_raw_features_and_not_a_normalizer():
    comparison = compare_normalizers(
        Picky(), X, Y, normalizers=FEW, cv=2, n_seeds=1, random_state=0
    )
    said = comparison.summary()
    assert "Fits on the raw features failed with ValueError: these are not scaled." in said
    assert "With the raw features no fit gave a score" in said
    assert "no normalizer" not in said + str(comparison) + comparison.verdict()


def test_no_text_has_no_normalizer_for_its_subject():
    for names in (["none", "steady"], ["steady", "none"]):
        best_raw = compared(dict(zip(names, [STEADY, RAW], strict=True)))
        for text in (best_raw.verdict(), best_raw.summary(), str(best_raw)):
            assert "no normalizer" not in text.lower()
