"""The statistics of a comparison, against SciPy, formulas written out, and simulation."""

import numpy as np
import pytest
from comparisons import run, setting
from scipy import stats

from sknorm._compare.analysis.intervals import (
    FoldSeedArray,
    corrected_interval,
    fold_means,
    log_ratio,
    median,
    pooled,
    seed_spread,
    win_interval,
)
from sknorm._compare.analysis.metrics import measure


def test_without_correction_it_is_the_t_test():
    values = np.array([0.1, 0.3, 0.2, 0.5, 0.4])
    interval = corrected_interval(values, 0.0, 0.9)
    known = stats.ttest_1samp(values, 0.0).confidence_interval(0.9)
    assert interval.estimate == pytest.approx(0.3)
    assert (interval.low, interval.high) == pytest.approx((known.low, known.high))


def test_correction_by_hand():
    """Nadeau and Bengio: variance (1/J + n_test/n_train) s^2, J - 1 degrees of freedom."""
    values = np.array([0.02, 0.05, 0.01, 0.04, 0.03])
    interval = corrected_interval(values, 1 / 4, 0.95)
    # s^2 = 2.5e-4; (1/5 + 1/4) s^2 = 1.125e-4; t(4, 0.975) = 2.7764451.
    half = 2.7764451 * np.sqrt(1.125e-4)
    assert interval.low == pytest.approx(0.03 - half, rel=1e-6)
    assert interval.high == pytest.approx(0.03 + half, rel=1e-6)
    assert interval.excludes(0)
    assert not interval.excludes(0.02)


def test_differences_that_cancel_are_none():
    values = np.array([0.95 - 0.93, 0.9 - 0.92, 0.7 - 0.75, 0.85 - 0.8])
    assert values.mean() != 0
    interval = corrected_interval(values, 0.25, 0.95)
    assert interval.estimate == 0
    assert interval.low == -interval.high


def test_too_little_for_an_interval():
    assert np.isnan(corrected_interval(np.array([np.nan]), 0.25, 0.95).estimate)
    single = corrected_interval(np.array([0.5, np.nan]), 0.25, 0.95)
    assert single.estimate == 0.5
    assert np.isnan(single.low)
    assert not single.excludes(0)


def test_interval_covers_where_the_plain_one_does_not():
    """Fold scores that share a part, as those of overlapping training sets do."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(4000, 1)) * np.sqrt(0.2)
    folds = shared + rng.normal(size=(4000, 5)) * np.sqrt(0.8)
    corrected = [corrected_interval(row, 0.25, 0.95) for row in folds]
    plain = [corrected_interval(row, 0.0, 0.95) for row in folds]
    assert np.mean([not interval.excludes(0) for interval in corrected]) == pytest.approx(
        0.95, abs=0.02
    )
    assert np.mean([not interval.excludes(0) for interval in plain]) < 0.9


def test_win_interval():
    ours, theirs = np.full((10, 3), 1.0), np.zeros((10, 3))
    won = win_interval(ours, theirs, 1 / 9, 0.95)
    assert won.estimate == 1
    assert 0.5 < won.low < 0.8
    assert won.high == 1
    assert not win_interval(ours[:5], theirs[:5], 1 / 4, 0.95).excludes(0.5), "five are too few"
    assert win_interval(ours, ours, 1 / 9, 0.95).estimate == 0.5, "ties count half"
    assert np.isnan(win_interval(ours, theirs * np.nan, 1 / 9, 0.95).estimate)


def test_seed_spread_is_numpys():
    grid = np.random.default_rng(0).normal(size=(4, 5))
    assert seed_spread(grid) == pytest.approx(grid.std(axis=1, ddof=1))
    assert fold_means(grid) == pytest.approx(grid.mean(axis=1))
    grid[0, 2:] = np.nan
    grid[1, 1:] = np.nan
    grid[2] = np.nan
    assert seed_spread(grid)[0] == pytest.approx(grid[0, :2].std(ddof=1))
    assert np.isnan(seed_spread(grid)[[1, 2]]).all()
    assert np.isnan(fold_means(grid)[2])
    assert pooled(np.array([3.0, 4.0, np.nan])) == pytest.approx(np.sqrt(12.5))
    assert np.isnan(pooled(np.array([np.nan])))


def test_equal_scores_do_not_spread():
    """Not even by rounding: the mean of three times 0.1 is not 0.1."""
    grid = np.array([[0.1] * 3, [0.9723] * 3, [0.1, 0.1, np.nan], [np.nan] * 3])
    assert seed_spread(grid)[:3].tolist() == [0, 0, 0]


def test_median_keeps_what_never_came():
    assert median(np.array([1.0, 2.0, np.inf])) == 2
    assert median(np.array([1.0, np.inf, np.inf, np.nan])) == np.inf
    assert median(np.array([1.0, np.inf])) == np.inf
    assert median(np.array([1.0, 4.0])) == 2.5
    assert np.isnan(median(np.array([np.nan])))


def test_log_ratio_understates_what_is_censored():
    never, there, stops = np.array([[np.inf]]), np.array([[10.0]]), np.array([[40.0]])
    assert log_ratio(there, stops, there / 2, stops) == pytest.approx([np.log(2)])
    # All that is known of a run that stopped after 40 epochs is that it takes longer.
    assert log_ratio(never, stops, there, stops) == pytest.approx([np.log(4)])
    assert log_ratio(there, stops, never, stops) == pytest.approx([-np.log(4)])
    # One that gave up early is not the faster for it.
    assert log_ratio(never, stops / 10, there, stops) == pytest.approx([0])
    assert log_ratio(there, stops, never, stops / 10) == pytest.approx([0])
    assert np.isnan(log_ratio(never, stops, never, stops)).all()
    assert np.isnan(log_ratio(there, stops, never, stops * np.nan)).all()
    assert np.isnan(log_ratio(there * np.nan, stops, there, stops)).all()


def test_a_ratio_of_epochs_does_not_depend_on_what_else_is_compared():
    def lasting(normalizer, n_iter, converged):
        return [
            run(normalizer, fold, 0, None, n_iter=n_iter + fold, converged=converged)
            for fold in range(5)
        ]

    runs = lasting("none", 70, False) + lasting("ours", 20, True)
    alone = measure(runs, setting(["none", "ours"], n_folds=5))
    beside = measure(
        runs + lasting("long", 1000, False), setting(["none", "ours", "long"], n_folds=5)
    )
    assert alone["ours"].differences["epochs_ratio"].estimate == (
        beside["ours"].differences["epochs_ratio"].estimate
    )
    assert alone["ours"].speed == "faster"
    assert 0.25 < alone["ours"].differences["epochs_ratio"].estimate < 0.35


def test_of_a_baseline_that_diverges_there_is_no_ratio_but_who_gets_there():
    runs = [run("none", fold, 0, None, n_iter=70, status="diverged") for fold in range(5)]
    runs += [run("ours", fold, 0, None, n_iter=20) for fold in range(5)]
    ours = measure(runs, setting(["none", "ours"], n_folds=5))["ours"]
    assert np.isnan(ours.differences["epochs_ratio"].estimate)
    assert ours.speed == "faster"


def test_target_is_where_the_baseline_ends_in_the_same_fold():
    runs = [
        run("none", 0, 0, [3.0, 2.0, 1.0]),
        run("none", 1, 0, [9.0, 8.0]),
        run("fast", 0, 0, [1.0, 0.5]),
        run("fast", 1, 0, [8.5, 8.5, 8.0, 7.0]),
        run("never", 0, 0, [3.0, 2.0, 2.0]),
        run("never", 1, 0, [9.0], status="diverged"),
    ]
    measures = measure(runs, setting(["none", "fast", "never"]))
    assert measures["none"].epochs_to_target == 2.5
    assert measures["fast"].epochs_to_target == 2
    assert measures["fast"].seconds_to_target == 2
    assert measures["fast"].reached == 1
    assert measures["fast"].differences["epochs_ratio"].estimate == pytest.approx(
        np.sqrt((1 / 3) * (3 / 2))
    )
    assert measures["never"].reached == 0
    assert measures["never"].epochs_to_target == np.inf
    assert measures["never"].diverged == 0.5
    assert measures["never"].speed == "slower"


def test_diverged_baseline_lends_the_median_target():
    runs = [
        run("none", 0, 0, [3.0, 1.0]),
        run("none", 1, 0, [np.inf], status="diverged"),
        run("fast", 0, 0, [1.0]),
        run("fast", 1, 0, [2.0, 1.0]),
    ]
    assert measure(runs, setting(["none", "fast"]))["fast"].reached == 1


def test_without_loss_curves_unconverged_runs_are_censored():
    runs = [
        run("none", fold, 0, [], n_iter=100, loss_curve=None, converged=False) for fold in range(2)
    ] + [run("ours", fold, 0, [], n_iter=7, loss_curve=None) for fold in range(2)]
    measures = measure(runs, setting(["none", "ours"]))
    assert measures["none"].epochs_to_target == np.inf
    assert measures["ours"].epochs_to_target == 7
    assert measures["ours"].speed == "faster"
    assert measures["none"].unconverged == 1


def test_a_model_without_epochs_misses_no_target_when_it_fails():
    runs = [run("none", fold, 0, [], n_iter=None, loss_curve=None) for fold in range(2)]
    lost = {"n_iter": None, "loss_curve": None, "status": "failed", "error": "no"}
    runs += [run("ours", fold, 0, [], np.nan, **lost) for fold in range(2)]
    for row in measure(runs, setting(["none", "ours"])).values():
        assert np.isnan([row.epochs, row.epochs_to_target, row.reached]).all()


def test_who_loses_more_fits_is_not_better():
    scores = [0.5, 0.5, 0.52, 0.48]
    runs = [run("none", fold, 0, [1.0], score) for fold, score in enumerate(scores)]
    runs += [run("ours", fold, 0, [1.0], score + 0.4) for fold, score in enumerate(scores)]
    asked = setting(["none", "ours"], n_folds=4)
    assert measure(runs, asked)["ours"].verdict == "better"
    runs[-1] = run("ours", 3, 0, [1.0], np.nan, status="failed", error="no")
    ours = measure(runs, asked)["ours"]
    assert ours.difference.low > 0
    assert ours.verdict == "undecided"
    assert ours.failed == 0.25


def test_a_fit_not_made_yet_is_not_lost():
    """After Ctrl-C the candidate is one fit behind: that takes nothing from what the others say."""
    scores = [0.5, 0.5, 0.52, 0.48, 0.51]
    runs = [run("none", fold, 0, [3.0, 2.0, 1.0], score) for fold, score in enumerate(scores)]
    runs += [run("ours", fold, 0, [1.0], scores[fold] + 0.4) for fold in range(4)]
    asked = setting(["none", "ours"], n_folds=5, test_ratio=0.25, stopped="interrupted")
    ours = measure(runs, asked)["ours"]
    assert ours.difference.low > 0
    assert ours.verdict == "better"
    assert ours.speed == "faster"
    lost = run("ours", 4, 0, [1.0], np.nan, status="diverged", error="no")
    assert measure([*runs, lost], asked)["ours"].verdict == "undecided", "made, and lost"


def test_fits_lost_where_the_other_made_none_are_not_held_against_it():
    scores = [0.5, 0.5, 0.52, 0.48]
    runs = [run("none", fold, 0, [1.0], score) for fold, score in enumerate(scores)]
    runs += [run("ours", fold, 0, [1.0], score + 0.4) for fold, score in enumerate(scores)]
    runs.append(run("ours", 4, 0, [1.0], np.nan, status="failed", error="no"))
    asked = setting(["none", "ours"], n_folds=5, test_ratio=0.25, stopped="interrupted")
    assert measure(runs, asked)["ours"].verdict == "better"


def test_grid_knows_missing_runs():
    grid = FoldSeedArray([run("a", 0, 1, [2.0])], 2, 2)
    assert grid.final_losses()[0, 1] == 2
    assert np.isnan(grid.final_losses()).sum() == 3
    assert np.isnan(FoldSeedArray([], 2, 2).share(lambda run: True))
