"""Intervals that hold together, what they decide, and which normalizer follows from them."""

import dataclasses

import numpy as np
import pytest
from comparisons import compared, comparison_of
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sknorm._compare.analysis.decisions import decide, repeats_to_decide
from sknorm._compare.analysis.intervals import Interval, corrected_interval
from sknorm._compare.analysis.simultaneous import signed_ranks, simultaneous_band

RNG = np.random.default_rng(0)
RAW = 0.5 + 0.02 * RNG.normal(size=10)


def test_one_difference_is_the_corrected_t_test():
    row = RNG.normal(0.1, 0.2, 10)
    (interval,) = simultaneous_band(row[None], 1 / 9, 0.95).intervals
    known = corrected_interval(row, 1 / 9, 0.95)
    assert interval.low == pytest.approx(known.low)
    assert interval.high == pytest.approx(known.high)


def test_between_one_test_and_bonferroni():
    """As wide as the correlation asks for: copies need little, independent rows all of it."""
    rows = RNG.normal(size=(8, 10))
    level = simultaneous_band(rows, 0.0, 0.95).level
    assert 0.05 / 8 <= level < 0.05 / 5
    copies = rows[:1] + 1e-6 * rows
    assert 0.02 < simultaneous_band(copies, 0.0, 0.95).level <= 0.05


def test_agrees_with_dunnetts_test():
    """Against a common control, with many splits, as SciPy has it by another way."""
    rng = np.random.default_rng(1)
    control, *others = rng.normal(size=(5, 400))
    found = simultaneous_band(np.array([one - control for one in others]), 0.0, 0.95)
    known = stats.dunnett(*others, control=control).confidence_interval(0.95)
    for interval, low, high in zip(found.intervals, known.low, known.high, strict=True):
        assert interval.high - interval.low == pytest.approx(high - low, rel=0.06)


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_all_intervals_hold_together_as_often_as_they_say(correlation):
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(400):
        shared = np.sqrt(correlation) * rng.normal(size=(1, 10))
        rows = shared + np.sqrt(1 - correlation) * rng.normal(size=(6, 10))
        band = simultaneous_band(rows, 0.0, 0.9)
        missed += any(interval.excludes(0) for interval in band.intervals)
    assert 0.05 < missed / 400 < 0.14, "0.1 is what 90% intervals miss"


def test_rows_without_spread_and_with_gaps():
    rows = np.array([[0.0] * 5, [0.1] * 5, [np.nan] * 5, [0.1, np.nan, 0.2, 0.1, 0.3]])
    same, shifted, empty, gappy = simultaneous_band(rows, 0.25, 0.95).intervals
    assert (same.low, same.high) == (0, 0)
    assert shifted.low == pytest.approx(shifted.high)
    assert np.isnan(empty.estimate)
    assert gappy.low < gappy.estimate < gappy.high


def test_signed_ranks():
    rows = np.array([[0.1, -0.3, 0.0, 0.2, np.nan]])
    assert signed_ranks(rows)[0][:4].tolist() == [2, -4, 0, 3]
    assert np.isnan(signed_ranks(rows)[0][4])


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.02, 0.1, "better"),
        (-0.1, -0.02, "worse"),
        (-0.009, 0.009, "equivalent"),
        (0.001, 0.009, "equivalent"),
        (-0.02, 0.1, "undecided"),
        (np.nan, np.nan, "undecided"),
    ],
)
def test_decisions(low, high, word):
    assert decide(Interval((low + high) / 2, low, high), 0.01) == word


def test_ranks_decide_where_the_mean_agrees():
    wide, ranks = Interval(0.2, -0.1, 0.5), Interval(5.0, 2.0, 8.0)
    assert decide(wide, 0.01, ranks) == "better"
    assert decide(wide.negated(), 0.01, ranks.negated()) == "worse"
    assert decide(wide.negated(), 0.01, ranks) == "undecided", "they contradict each other"


def test_repeats_that_would_decide():
    found = repeats_to_decide(0.03, 0.03, 10, 1 / 9, 0.01, 0.01)
    assert found is not None
    assert found > 1
    # With as many splits, the same estimate and deviation are a decision; with one fewer, not.
    for repeats, word in ((found, "better"), (found - 1, "undecided")):
        n = 10 * repeats
        half = stats.t.ppf(1 - 0.01 / 2, n - 1) * 0.03 * np.sqrt(1 / n + 1 / 9)
        assert decide(Interval(0.03, 0.03 - half, 0.03 + half), 0.01) == word
    assert repeats_to_decide(0.0101, 1.0, 10, 1 / 9, 0.05, 0.01) is None, "only more rows"


def test_catastrophes_do_not_blind_the_verdict():
    """Each fold at 0.97 against -20 to -273, and a third that loses every pair to the best."""
    scores = {
        "none": [-20.0, -273.0, -45.0, -31.0, -90.0, -25.0, -60.0, -38.0, -210.0, -22.0],
        "ours": 0.97 + 0.002 * RNG.normal(size=10),
        "third": -np.exp(RNG.normal(2, 2, 10)),
    }
    comparison = compared(scores, score_name="R2", chance=0.0, best_possible=1.0, floor=-1.0)
    assert comparison.measures_["ours"].verdict == "better"
    assert comparison.measures_["none"].n_floored == 10
    standing = comparison._measured.standing
    assert (standing.best, standing.equivalent, standing.undecided) == ("ours", (), ())
    said = comparison.verdict()
    assert said.startswith("Use ours (R2 0.9")
    assert "in 100% of paired fits" in said
    assert "third" not in said


def test_the_same_is_equivalent_and_the_simpler_is_recommended():
    twin = RAW + 0.2 + 0.0005 * RNG.normal(size=10)
    comparison = compared({"none": RAW, "StandardScaler": RAW + 0.2, "twin": twin},
                          reference="StandardScaler")  # fmt: skip
    assert comparison.measures_["twin"].reference_verdict == "equivalent"
    assert comparison.measures_["StandardScaler"].reference_verdict == "reference"
    assert comparison.recommended_ == "StandardScaler"
    assert "twin scored highest" in comparison.verdict() or comparison.best_name_ != "twin"


def test_the_baseline_stays_without_a_reason_to_change():
    comparison = compared({"ours": RAW, "StandardScaler": RAW})
    baseline = dataclasses.replace(comparison.setting_, baseline="StandardScaler")
    assert comparison_of(comparison._measured.runs, baseline).recommended_ == "StandardScaler"


def test_what_fails_or_does_not_converge_is_not_the_simpler():
    scores = {"none": RAW, "first": [None, *(RAW + 0.2)[1:]], "second": RAW + 0.2}
    assert compared(scores).recommended_ == "second"
    raw_too = {"none": [None, *RAW[1:]]}
    assert compared(scores | raw_too).recommended_ == "second"


def test_undecided_says_what_would_decide():
    noisy = RAW + np.tile([0.12, -0.07], 5)
    said = compared({"none": RAW, "noisy": noisy}, test_ratio=0.02).verdict()
    assert "Nothing is shown to be better" in said
    assert "n_repeats=" in said or "Only more rows" in said


def test_overfitting_and_guessing_are_said():
    comparison = compared(
        {"none": RAW, "ours": RAW + 0.1},
        chance=0.6,
        best_possible=1.0,
        classes=(("a", 6), ("b", 4)),
    )
    said = comparison.verdict()
    assert "Always guessing the largest class ('a', 6 of 10 rows) gets 0.600" in said
    assert "(guessing)" in str(comparison)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=12), st.floats(0, 0.5))
def test_intervals_contain_their_estimates(row, test_ratio):
    band = simultaneous_band(np.array([row, row[::-1]]), test_ratio, 0.95)
    for interval in band.intervals:
        assert interval.low <= interval.estimate <= interval.high
