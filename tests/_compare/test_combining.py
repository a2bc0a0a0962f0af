"""Several comparisons together, against autorank's numbers where it is installed, and by hand."""

import dataclasses

import numpy as np
import pytest
from comparisons import compared
from scipy import stats

from sknorm import CombinedComparison, combine_comparisons

RNG = np.random.default_rng(0)
NAMES = ("none", "a", "b", "c")
SCORES = np.column_stack([RNG.normal(0.6 + 0.05 * place, 0.03, 20) for place in (0, 1, 2, 2)])


def combined(scores=SCORES, names=NAMES, rope=0.01):
    n = len(scores)
    data = tuple(f"d{place}" for place in range(n))
    return CombinedComparison(
        names,
        data,
        np.asarray(scores, float),
        np.full(n, rope),
        np.full(np.shape(scores), ""),
        "none",
    )


def test_ranks_and_tests_are_those_of_scipy():
    found = combined()
    assert list(found.mean_ranks_.values()) == pytest.approx(
        stats.rankdata(-SCORES, axis=1).mean(axis=0)
    )
    known = stats.friedmanchisquare(*SCORES.T)
    assert found.friedman_ == pytest.approx((known.statistic, known.pvalue))


def test_critical_difference_of_demsar():
    """His example: 4 algorithms on 14 data sets, q = 2.569, CD = 1.25."""
    found = combined(SCORES[:14])
    assert found.critical_difference_ == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), abs=1e-3)
    assert found.critical_difference_ == pytest.approx(1.25, abs=5e-3)


def test_agrees_with_autorank():
    autorank = pytest.importorskip("autorank")
    pandas = pytest.importorskip("pandas")
    result = autorank.autorank(
        pandas.DataFrame(SCORES, columns=list(NAMES)), alpha=0.05, force_mode="nonparametric"
    )
    found = combined()
    assert found.critical_difference_ == pytest.approx(result.cd, rel=1e-3)
    ranks = result.rankdf["meanrank"].to_dict()
    assert found.mean_ranks_ == pytest.approx({name: ranks[name] for name in NAMES})
    assert found.friedman_[1] == pytest.approx(result.pvalue, rel=1e-6)


def test_wins_beyond_the_rope():
    scores = [[0.5, 0.505, 0.6, np.nan], [np.nan, 0.5, 0.5, np.nan]]
    found = combined(scores)
    assert found.wins_ == {"none": (0, 2, 0), "a": (1, 1, 0), "b": (2, 0, 0), "c": (0, 1, 1)}
    assert found.mean_ranks_["c"] == pytest.approx((4 + 3.5) / 2)


def test_groups_and_words():
    found = combined()
    said = found.verdict()
    assert said.startswith("Over 20 data sets, ")
    assert "none" in said.split("rank lower: ")[1]
    for group in found.groups():
        ranks = [found.mean_ranks_[name] for name in group]
        assert max(ranks) - min(ranks) <= found.critical_difference_
    same = combined(np.tile(RNG.normal(size=(20, 1)), 4))
    assert "could all be alike" in same.verdict() or np.isnan(same.friedman_[1])


def test_of_comparisons():
    raw = 0.5 + 0.02 * RNG.normal(size=10)
    first = compared({"none": raw, "ours": raw + 0.2, "only here": raw})
    second = compared({"none": raw, "ours": raw + 0.1})
    found = combine_comparisons({"x": first, "y": second})
    assert found.names == ("none", "ours")
    assert found.wins_["ours"] == (2, 0, 0)
    assert found.table["shown_better"] == [0, 2]
    assert combine_comparisons([first, second]).data == ("data set 1", "data set 2")
    with pytest.raises(ValueError, match="at least two comparisons"):
        combine_comparisons([first])
    with pytest.raises(TypeError, match="'data set 2' is no NormalizerComparison"):
        combine_comparisons([first, 3])
    with pytest.raises(ValueError, match="baseline='only here' is not in all"):
        combine_comparisons([first, second], baseline="only here")
    with pytest.raises(ValueError, match="fewer than two normalizers in common"):
        combine_comparisons([first, compared({"other": raw, "none": raw})])


def test_picture():
    plt = pytest.importorskip("matplotlib.pyplot")
    ax = combined().plot()
    ax.figure.canvas.draw()
    shown = [label.get_text() for label in ax.get_yticklabels()]
    assert sorted(shown) == sorted(NAMES)
    assert "critical difference" in ax.get_xlabel()
    plt.close(ax.figure)


def test_it_is_a_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        combined().baseline = "a"
